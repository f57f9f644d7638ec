-- migrate:up

-- What the point was given in; lat and long are WGS-84 whatever it was.
alter table requests add column datum text;

-- migrate:down
alter table requests drop column datum;
