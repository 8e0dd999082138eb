/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The connection to PostgreSQL: where it leads, what the server must promise, and how it is made again.
 *
 * A password never stands in an address: addresses lie in a settings file, on
 * command lines and in messages.  libpq's words about an address that it
 * cannot read repeat it, so they are not passed on.
 *
 * What the address does not say is said here (those before "dbname" may be
 * overridden by it, TLS only on the loopback): over TCP the server's certificate is verified, a writer looks for a
 * server that takes writes (after a failover the address may name several), and a
 * server that fell silent is given up after half a minute.
 *
 * A server with fsync off, or that answers before the disk has the commit, is
 * refused, at the start and after each reconnection; what it had for synchronous_commit is then
 * fixed for the session, so that a reload of its settings does not change it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/store_pg_int.h"

static const char scheme[] = "postgresql://";

/* ---- addresses ---- */

static const char *option_of(const PQconninfoOption *all, const char *name)
{
	for (; all != NULL && all->keyword != NULL; all++)
		if (strcmp(all->keyword, name) == 0)
			return all->val != NULL && all->val[0] != '\0' ? all->val : NULL;
	return NULL;
}

/*
 * A password with a character that should have been written as %XX is read as a port or a part of the
 * database's name, and libpq would repeat it in words.
 */
static bool is_plain(const PQconninfoOption *all)
{
	static const char *const numbers[] = { "port", "connect_timeout", "keepalives_idle", "keepalives_interval",
					       "keepalives_count", "tcp_user_timeout" };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		const char *v = option_of(all, numbers[i]);
		if (v != NULL && v[strspn(v, "0123456789,")] != '\0')
			return false;
	}
	const char *db = option_of(all, "dbname");
	return db != NULL && strpbrk(db, "@/:=") == NULL;
}

/* Whether the ${i}-th host of the address is this machine: a Unix socket or the loopback. */
static bool is_local(const PQconninfoOption *all, size_t i)
{
	const char *at[2] = { option_of(all, "hostaddr"), option_of(all, "host") };
	char host[2][300] = { "", "" };
	for (size_t k = 0; k < 2; k++) {
		for (size_t n = 0; at[k] != NULL && n < i; n++)
			at[k] = strchr(at[k], ',') != NULL ? strchr(at[k], ',') + 1 : NULL;
		size_t len = at[k] != NULL ? strcspn(at[k], ",") : 0;
		if (len >= sizeof(host[k]))
			return false;
		memcpy(host[k], at[k] != NULL ? at[k] : "", len);
	}
	const char *h = host[0][0] != '\0' ? host[0] : host[1];
	struct in_addr v4;
	struct in6_addr v6;
	if (h[0] == '\0' || h[0] == '/' || h[0] == '@' || strcmp(h, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, h, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, h, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool leaves_machine(const PQconninfoOption *all)
{
	const char *host = option_of(all, "host"), *list = host != NULL ? host : option_of(all, "hostaddr");
	for (size_t i = 0; list != NULL; i++, list = strchr(list, ',') != NULL ? strchr(list, ',') + 1 : NULL)
		if (!is_local(all, i))
			return true;
	return false;
}

static bool says(const PQconninfoOption *all, const char *name, const char *value)
{
	const char *v = option_of(all, name);
	return v == NULL || strcmp(v, value) == 0;
}

/* What goes over a network is encrypted, for the server that the address means and for nobody who stands between. */
static const char *weakness(const PQconninfoOption *all)
{
	const char *root = option_of(all, "sslrootcert");
	if (!leaves_machine(all))
		return NULL;
	if (!says(all, "sslmode", "verify-full") || !says(all, "gssencmode", "disable"))
		return "leads to another machine and must verify its certificate: leave sslmode and gssencmode out, or say sslmode=verify-full";
	if (root == NULL || root[0] != '/')
		return "leads to another machine and must name the authority that signs its certificate: sslrootcert=FILE, from /";
	return NULL;
}

/* Why an address is refused that libpq would take; NULL if it is not. */
static const char *refusal(const PQconninfoOption *all)
{
	if (option_of(all, "password") != NULL || option_of(all, "sslpassword") != NULL)
		return "must not hold a password: put it into a file that only this process may read and name that with passfile=";
	if (option_of(all, "service") != NULL)
		return "must name its server itself, not a service file's entry";
	return is_plain(all) ? weakness(all) : "is not of the form postgresql://[USER@]HOST[:PORT]/DATABASE[?NAME=VALUE&...]";
}

/* Freed by PQconninfoFree. */
static int read_url(const char *url, PQconninfoOption **ret, struct diag *reterr)
{
	char *words = NULL;
	PQconninfoOption *all = PQconninfoParse(url, &words);
	bool no_memory = all == NULL && words == NULL;
	PQfreemem(words);
	if (no_memory)
		return diag_set(reterr, -ENOMEM, "no memory for a connection");
	const char *why = refusal(all);
	if (why != NULL) {
		PQconninfoFree(all);
		return diag_set(reterr, FW_EINVALID, "the store's address %s", why);
	}
	*ret = all;
	return 0;
}

/* The ${i}-th of a list with commas; NULL when there are fewer. An element may be empty. */
static const char *nth(struct arena *mem, const char *list, size_t i)
{
	const char *at = list;
	for (; at != NULL && i > 0; i--)
		at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL;
	return at != NULL ? arena_strndup(mem, at, strcspn(at, ",")) : NULL;
}

/* The number of ${host}; a name is asked for now, since a process behind its walls cannot ask. */
static int resolve(struct arena *mem, const char *host, const char **ret, struct diag *reterr)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char text[64];
	int err = getaddrinfo(host, NULL, &hints, &found);
	if (err == 0)
		err = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
	if (found != NULL)
		freeaddrinfo(found);
	if (err != 0)
		return diag_set(reterr, FW_ENOTFOUND, "the database's host %s has no address: %s", host, gai_strerror(err));
	*ret = arena_strdup(mem, text);
	return *ret != NULL ? 0 : -ENOMEM;
}

static int add_port(struct store_reach *r, const char *text, struct diag *reterr)
{
	size_t i = 0;
	unsigned long port = text != NULL && text[0] != '\0' ? strtoul(text, NULL, 10) : 5432;
	if (port == 0 || port > 65535)
		return diag_set(reterr, FW_EINVALID, "the store's address names a port that there is not");
	while (i < STORE_REACH_MAX - 1 && r->port[i] != 0 && r->port[i] != port)
		i++;
	if (i == STORE_REACH_MAX - 1)
		return diag_set(reterr, FW_ELIMIT, "the store's address names too many servers");
	r->port[i] = (unsigned)port;
	return 0;
}

/* Every host of the list; *ret_addresses is the list for hostaddr=. */
static int reach_hosts(const PQconninfoOption *all, struct arena *mem, struct store_reach *r, const char **ret_addresses,
		       struct diag *reterr)
{
	const char *hosts = option_of(all, "host"), *given = option_of(all, "hostaddr"), *ports = option_of(all, "port");
	const char *list = hosts != NULL ? hosts : given, *addresses = "", *host;
	bool one_port = ports == NULL || strchr(ports, ',') == NULL;
	int err = 0;
	r->unix_socket = list == NULL;
	for (size_t i = 0; err == 0 && (host = nth(mem, list, i)) != NULL; i++) {
		const char *address = nth(mem, given, i);
		bool local = (host[0] == '\0' || host[0] == '/' || host[0] == '@') && (address == NULL || address[0] == '\0');
		if (local)
			r->unix_socket = true;
		else
			err = add_port(r, one_port ? ports : nth(mem, ports, i), reterr);
		if (err == 0 && !local && (address == NULL || address[0] == '\0'))
			err = resolve(mem, host, &address, reterr);
		addresses = arena_printf(mem, "%s%s%s", addresses, i > 0 ? "," : "", address != NULL ? address : "");
		if (err == 0 && addresses == NULL)
			err = -ENOMEM;
	}
	*ret_addresses = given == NULL && r->port[0] != 0 ? addresses : NULL;
	return err;
}

/* The file that libpq would look for in the home folder, if it is there. */
static const char *own_passfile(struct arena *mem, const struct passwd *me)
{
	const char *set = getenv("PGPASSFILE");
	const char *path = set != NULL ? set : me != NULL ? arena_printf(mem, "%s/.pgpass", me->pw_dir) : NULL;
	return path != NULL && access(path, R_OK) == 0 ? path : NULL;
}

/* ${url} with ?NAME=VALUE or &NAME=VALUE; a NULL value adds nothing. */
static const char *with(struct arena *mem, const char *url, const char *name, const char *value)
{
	if (url == NULL || value == NULL)
		return url;
	struct buf b;
	buf_init(&b, 8192);
	buf_printf(&b, "%s%c%s=", url, strchr(url, '?') != NULL ? '&' : '?', name);
	for (const char *p = value; *p != '\0'; p++)
		if (strchr("%&=?#+ ", *p) != NULL)
			buf_printf(&b, "%%%02X", (unsigned)*p);
		else
			buf_putc(&b, *p);
	const char *made = buf_failed(&b) ? NULL : arena_strndup(mem, (const char *)b.data, b.len);
	buf_release(&b);
	return made;
}

static int reach_server(const char *url, const PQconninfoOption *all, struct arena *mem, struct store_reach *r,
			struct diag *reterr)
{
	static const char *const files[] = { "passfile", "sslrootcert", "sslcert", "sslkey", "sslcrl" };
	const struct passwd *me = getpwuid(geteuid());
	const char *addresses = NULL, *passfile = option_of(all, "passfile") == NULL ? own_passfile(mem, me) : NULL;
	size_t n = 0;
	int err = reach_hosts(all, mem, r, &addresses, reterr);
	if (err != 0)
		return err;
	r->connects = true;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (option_of(all, files[i]) != NULL)
			r->file[n++] = arena_strdup(mem, option_of(all, files[i]));
	if (passfile != NULL)
		r->file[n++] = passfile;
	r->url = with(mem, url, "hostaddr", addresses);
	if (option_of(all, "user") == NULL && getenv("PGUSER") == NULL && me != NULL)
		r->url = with(mem, r->url, "user", me->pw_name);
	r->url = with(mem, r->url, "passfile", passfile);
	return r->url != NULL && !arena_failed(mem) ? 0 : -ENOMEM;
}

int store_reach(const char *url, struct arena *mem, struct store_reach *ret, struct diag *reterr)
{
	struct store_reach r = { .url = url };
	PQconninfoOption *all = NULL;
	int err = 0;
	if (strncmp(url, scheme, sizeof(scheme) - 1) == 0) {
		err = read_url(url, &all, reterr);
		if (err == 0)
			err = reach_server(url, all, mem, &r, reterr);
		PQconninfoFree(all);
	}
	if (err == -ENOMEM)
		(void)diag_set(reterr, err, "no memory for the address of a store");
	if (err == 0)
		*ret = r;
	return err;
}

/* ---- what the server must promise ---- */

static int refuse_unless(const char *name, const char *value, const char *good, const char *also_good, struct diag *reterr)
{
	if (strcmp(value, good) == 0 || strcmp(value, also_good) == 0)
		return 0;
	return diag_set(reterr, FW_ESTORE, "the database has %s = %s: what it acknowledges could be lost; set it to %s", name, value,
			good);
}

static int look_at_server(struct pg_store *s, struct diag *reterr)
{
	const char *encoding = PQparameterStatus(s->conn, "server_encoding");
	char sql[80];
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return diag_set(reterr, FW_ESTORE, "the database's encoding is %s; make it with ENCODING 'UTF8'",
				encoding != NULL ? encoding : "unknown");
	if (s->allow_unsafe)
		return 0;
	PGresult *res = pg_ask(s, "SELECT current_setting('fsync'), current_setting('full_page_writes'), "
				  "current_setting('synchronous_commit')");
	if (!pg_good(res) || PQntuples(res) != 1 || PQnfields(res) != 3) {
		int err = pg_fail(s, res, "asking the database how it keeps data", reterr);
		PQclear(res);
		return err;
	}
	int err = refuse_unless("fsync", PQgetvalue(res, 0, 0), "on", "on", reterr);
	if (err == 0)
		err = refuse_unless("full_page_writes", PQgetvalue(res, 0, 1), "on", "on", reterr);
	if (err == 0)
		err = refuse_unless("synchronous_commit", PQgetvalue(res, 0, 2), "on", "remote_apply", reterr);
	(void)snprintf(sql, sizeof(sql), "SET synchronous_commit = %s", err == 0 ? PQgetvalue(res, 0, 2) : "on");
	PQclear(res);
	return err != 0 ? err : pg_plain(s, sql, "opening the store", reterr);
}

/* ---- what the role may not ---- */

/* A role that reaches this database and no other vault's, so that whoever breaks into a worker has one vault. */
static int look_at_role(struct pg_store *s, struct diag *reterr)
{
	const char *db = PQdb(s->conn);
	const size_t n = strlen(s->walled), len = db != NULL ? strlen(db) : 0;
	char sql[900];
	if (len < n + 2 || db[len - n - 1] != '_' || strcmp(db + len - n, s->walled) != 0)
		return diag_set(reterr, FW_EINVALID, "the database of the vault %s must be named PREFIX_%s, so that it can be told from others",
				s->walled, s->walled);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls, "
		       "(SELECT min(m.rolname) FROM pg_roles m WHERE m.oid <> r.oid AND m.rolname <> 'pg_database_owner' "
		       "AND pg_has_role(r.oid, m.oid, 'MEMBER')), "
		       "(SELECT min(d.datname) FROM pg_database d WHERE d.datallowconn AND d.datname <> current_database() "
		       "AND d.datname IN (SELECT left(current_database(), -%zu) || v "
		       "FROM unnest(ARRAY['house', 'strategic', 'operational', 'protection']) v) "
		       "AND has_database_privilege(r.oid, d.oid, 'CONNECT')) "
		       "FROM pg_roles r WHERE r.rolname = session_user", n);
	PGresult *res = pg_ask(s, sql);
	int err = 0;
	if (!pg_good(res) || PQntuples(res) != 1 || PQnfields(res) != 3)
		err = pg_fail(s, res, "asking the database what this role may", reterr);
	else if (strcmp(PQgetvalue(res, 0, 0), "f") != 0)
		err = diag_set(reterr, FW_EDENIED, "the role %s of the vault %s rules the database server: give the vault a role that may "
			       "log in and owns its database, and nothing else", PQuser(s->conn), s->walled);
	else if (PQgetisnull(res, 0, 1) != 1)
		err = diag_set(reterr, FW_EDENIED, "the role %s of the vault %s is a member of %s; it must be of none", PQuser(s->conn),
			       s->walled, PQgetvalue(res, 0, 1));
	else if (PQgetisnull(res, 0, 2) != 1)
		err = diag_set(reterr, FW_EDENIED, "the role %s of the vault %s may connect to %s, another vault's database; cure: REVOKE "
			       "CONNECT ON DATABASE %s FROM PUBLIC, and from %s", PQuser(s->conn), s->walled, PQgetvalue(res, 0, 2),
			       PQgetvalue(res, 0, 2), PQuser(s->conn));
	PQclear(res);
	return err;
}

/* ---- connecting ---- */

static void no_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message; /* a library never logs */
}

/* What every connection is told, a new one and one made again. */
static int prepare_connection(struct pg_store *s, struct diag *reterr)
{
	memset(s->prepared, 0, sizeof(s->prepared));
	s->pending = 0;
	s->usable = true;
	(void)PQsetNoticeProcessor(s->conn, no_notice, NULL);
	int err = pg_plain(s, "SET statement_timeout = '60s'; SET lock_timeout = '10s'; SET client_min_messages = error;"
			      "SET idle_in_transaction_session_timeout = '120s'; SET extra_float_digits = 3;"
			      "SET standard_conforming_strings = on; SET default_transaction_isolation = serializable",
			   "opening the store", reterr);
	if (err == 0 && s->base.read_only)
		err = pg_plain(s, "SET default_transaction_read_only = on", "opening the store", reterr);
	if (err == 0)
		err = look_at_server(s, reterr);
	if (err == 0 && s->walled != NULL)
		err = look_at_role(s, reterr);
	s->usable = err == 0;
	return err;
}

int pg_reconnect(struct pg_store *s, struct diag *reterr)
{
	pg_end_all_rows(s);
	s->usable = false;
	PQreset(s->conn);
	if (PQstatus(s->conn) != CONNECTION_OK)
		return diag_set(reterr, FW_EBUSY, "the database does not answer: %.*s",
				(int)strcspn(PQerrorMessage(s->conn), "\n"), PQerrorMessage(s->conn));
	return prepare_connection(s, reterr);
}

int pg_connect(struct pg_store *s, const char *url, struct diag *reterr)
{
	const char *const keys[] = { "connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count",
				     "tcp_user_timeout", "sslmode", "gssencmode", "target_session_attrs", "application_name",
				     "dbname", "client_encoding", NULL };
	const char *const values[] = { "10", "10", "5", "4", "30000", "verify-full", "disable",
				       s->base.read_only ? "any" : "read-write", "fairway", url, "UTF8", NULL };
	PQconninfoOption *all = NULL;
	int err = read_url(url, &all, reterr);
	if (err != 0)
		return err;
	PQconninfoFree(all);
	s->conn = PQconnectdbParams(keys, values, 1);
	if (s->conn == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for a connection");
	if (PQstatus(s->conn) != CONNECTION_OK)
		return diag_set(reterr, FW_ENOTFOUND, "cannot connect to the database: %.*s",
				(int)strcspn(PQerrorMessage(s->conn), "\n"), PQerrorMessage(s->conn));
	return prepare_connection(s, reterr);
}
