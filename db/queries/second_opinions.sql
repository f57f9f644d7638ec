-- name: reserve(day, tokens, most)^
-- Takes the tokens from the day's budget in one step; no row where they would go beyond it.
insert into second_opinion_days as spent (day, asked, tokens)
select :day::date, 1, :tokens::bigint where :tokens::bigint <= :most::bigint
on conflict (day) do update set asked = spent.asked + 1, tokens = spent.tokens + excluded.tokens
where spent.tokens + excluded.tokens <= :most::bigint
returning tokens;

-- name: settle(day, change)!
-- Corrects what was taken to what it was.
update second_opinion_days set tokens = greatest(tokens + :change::bigint, 0) where day = :day;

-- name: spent(day)$
-- The tokens of a day.
select tokens from second_opinion_days where day = :day;
