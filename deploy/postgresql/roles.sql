-- Roles and database of the journal. As a superuser, once:  psql -v ON_ERROR_STOP=1 -f roles.sql
-- Then set the passwords:  \password pakkehjem_owner  \password pakkehjem_gateway  \password pakkehjem_reader
--
--   pakkehjem_owner   owns the tables; `pakkehjem db upgrade` runs as it, and nothing else does
--   pakkehjem_gateway the service and its commands: reads and writes rows, changes no table
--   pakkehjem_reader  looks only (reports, monitoring); what it reads is encrypted

CREATE ROLE pakkehjem_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
CREATE ROLE pakkehjem_gateway LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 100;
CREATE ROLE pakkehjem_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 10;

CREATE DATABASE pakkehjem OWNER pakkehjem_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE pakkehjem FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE pakkehjem TO pakkehjem_gateway;
GRANT CONNECT ON DATABASE pakkehjem TO pakkehjem_reader;

\connect pakkehjem

ALTER SCHEMA public OWNER TO pakkehjem_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO pakkehjem_gateway, pakkehjem_reader;

-- For every table and sequence that an upgrade makes.
ALTER DEFAULT PRIVILEGES FOR ROLE pakkehjem_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pakkehjem_gateway;
ALTER DEFAULT PRIVILEGES FOR ROLE pakkehjem_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO pakkehjem_gateway;
ALTER DEFAULT PRIVILEGES FOR ROLE pakkehjem_owner IN SCHEMA public
    GRANT SELECT ON TABLES TO pakkehjem_reader;

-- A commit that has returned is on the disk here and, where there is a standby, there.
ALTER ROLE pakkehjem_gateway IN DATABASE pakkehjem SET synchronous_commit = 'on';
ALTER ROLE pakkehjem_gateway IN DATABASE pakkehjem SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE pakkehjem_reader IN DATABASE pakkehjem SET default_transaction_read_only = on;
