-- migrate:up

-- What second opinions of a language model have cost on each day of the city's calendar, for all workers together.
create table second_opinion_days (
    day date primary key,
    asked int not null,
    tokens bigint not null -- as the model counted them, or the most it can have been where it did not say
);

-- migrate:down
drop table second_opinion_days;
