-- SPDX-License-Identifier: AGPL-3.0-or-later
-- For psql, as the server's own administrator, once before `fairway init --store`:
--     psql -v prefix=fairway -f databases.sql postgres
-- Makes for each vault a role and a database that it owns, closed to everybody else.
-- The order matters: nobody may connect to a new database before it is closed.
\set ON_ERROR_STOP on
\if :{?prefix}
\else
\set prefix fairway
\endif

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 20',
	:'prefix' || '_' || vault)
FROM unnest(ARRAY['house', 'strategic', 'operational', 'protection']) vault
\gexec

SELECT format(step, :'prefix' || '_' || vault)
FROM unnest(ARRAY['house', 'strategic', 'operational', 'protection']) vault,
	unnest(ARRAY[
		'CREATE DATABASE %1$I OWNER %1$I TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C'' LC_CTYPE ''C'' ALLOW_CONNECTIONS false',
		'REVOKE ALL ON DATABASE %1$I FROM PUBLIC',
		'ALTER DATABASE %1$I ALLOW_CONNECTIONS true']) WITH ORDINALITY AS steps (step, turn)
ORDER BY vault, turn
\gexec
