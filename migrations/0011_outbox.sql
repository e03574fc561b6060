-- Whoever relays takes rows in the order of `seq` and holds their keys by locks of their names, so nothing looks for rows by key. With this
-- index, and statistics of a moment at which nothing waited, a look at a long outbox read all of it for each of its rows.
set local role hirenet_owner;

drop index hirenet.outbox_in_order;

reset role;

update hirenet.schema_version set version = 11;
