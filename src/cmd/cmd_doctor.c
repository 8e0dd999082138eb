/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The doctor looks at a node's folder, its settings, the machine below it and
 * the node itself if it runs, and says what needs attention and what would
 * cure it.  It opens no store and no key and changes nothing, so that it can be
 * run at any time, beside a running node too.
 *
 * A finding is good, a note (worth knowing, nothing to do), or bad.
 */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/arena.h"
#include "cmd/online.h"
#include "tbl/settings.h"

enum finding { GOOD, NOTE, BAD };

enum { LANDLOCK_ABI_WANTED = 1, FREE_MIB_LEAST = 1024, FREE_PERCENT_LEAST = 5 };

struct doctor {
	struct cmd_context *c;
	const char *folder;
	struct settings s;
	json_t *findings; /* with --json */
	unsigned bad;
};

__attribute__((format(printf, 4, 5))) static void say(struct doctor *d, enum finding f,
						      const char *what, const char *fmt, ...)
{
	static const char *const names[] = {"good", "note", "bad"};
	char words[600];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	d->bad += f == BAD;
	if (d->findings != NULL)
		(void)json_array_append_new(d->findings,
					    json_pack("{s:s,s:s,s:s}", "what", what, "finding",
						      names[f], "words", words));
	else if (f != GOOD || !cmd_flag(d->c, "quiet"))
		(void)printf("%-4s  %-12s %s\n", names[f], what, words);
}

static const char *inside(struct doctor *d, const char *name)
{
	const char *path = arena_printf(d->c->mem, "%s/%s", d->folder, name);
	return path != NULL ? path : "";
}

/* ---- the folder ---- */

/* Nobody but its owner (and its group, where ${group}) may touch it. */
static void look_at_mode(struct doctor *d, const char *name, bool must_be, mode_t forbidden)
{
	struct stat st;
	const char *path = inside(d, name);
	if (lstat(path, &st) != 0) {
		if (must_be)
			say(d, BAD, "folder", "%s: %s; is %s the folder of a node?", path,
			    err_text(-errno), d->folder);
		return;
	}
	if (S_ISLNK(st.st_mode))
		say(d, BAD, "folder", "%s is a symbolic link; put the thing itself there", path);
	else if ((st.st_mode & forbidden) != 0)
		say(d, BAD, "folder",
		    "%s may be touched by others (mode %04o); cure: chmod %04o %s", path,
		    st.st_mode & 07777, st.st_mode & 07777 & ~forbidden, path);
	else
		say(d, GOOD, "folder", "%s has mode %04o", path, st.st_mode & 07777);
}

static void look_at_folder(struct doctor *d)
{
	look_at_mode(d, "keys", true, 0027);
	look_at_mode(d, "keys/node.key", true, 0077);
	look_at_mode(d, "keys/custodians.pub", true, 0022);
	look_at_mode(d, "fairway.conf", true, 0022);
	look_at_mode(d, "custodians", false, 0077);
	look_at_mode(d, "keeper", false, 0027);
	for (int v = 0; v < VAULT_COUNT; v++) {
		look_at_mode(d, vault_rows[v].name, true, 0027);
		look_at_mode(d, arena_printf(d->c->mem, "%s/pgpass", vault_rows[v].name), false, 0077);
	}
	if (access(inside(d, "custodians"), F_OK) == 0)
		say(d, BAD, "custodians",
		    "the custodians' secret keys still lie in %s; hand them over and remove the "
		    "folder",
		    inside(d, "custodians"));
}

static void look_at_space(struct doctor *d)
{
	struct statvfs v;
	if (statvfs(d->folder, &v) != 0) {
		say(d, BAD, "disk", "%s: %s", d->folder, err_text(-errno));
		return;
	}
	uint64_t mib = (uint64_t)v.f_bavail * v.f_frsize / (1024 * 1024);
	uint64_t percent = v.f_blocks > 0 ? (uint64_t)v.f_bavail * 100 / v.f_blocks : 0;
	bool little = mib < FREE_MIB_LEAST || percent < FREE_PERCENT_LEAST;
	say(d, little ? BAD : GOOD, "disk", "%llu MiB (%llu %%) free where the node is%s",
	    (unsigned long long)mib, (unsigned long long)percent,
	    little ? "; make room before it is full: the node then refuses to write" : "");
	if ((v.f_flag & ST_RDONLY) != 0)
		say(d, BAD, "disk", "%s is mounted read-only", d->folder);
}

/* ---- stores ---- */

static void look_at_store(struct doctor *d, const char *vault, const char *url)
{
	struct stat st;
	if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0) {
		PGPing p = PQping(url);
		say(d, p == PQPING_OK ? GOOD : BAD, "store", "%s: PostgreSQL %s", vault,
		    p == PQPING_OK       ? "answers"
		    : p == PQPING_REJECT ? "is starting or refuses connections"
					 : "does not answer at the address of the setting");
		return;
	}
	const char *path = strncmp(url, "sqlite:", 7) == 0
				   ? url + 7
				   : inside(d, arena_printf(d->c->mem, "%s/%s.db", vault, vault));
	if (stat(path, &st) != 0)
		say(d, BAD, "store", "%s: %s: %s", vault, path, err_text(-errno));
	else if (!S_ISREG(st.st_mode) || st.st_size == 0)
		say(d, BAD, "store", "%s: %s is %s; restore it from a backup", vault, path,
		    S_ISREG(st.st_mode) ? "empty" : "not a file");
	else if ((st.st_mode & 0077) != 0)
		say(d, BAD, "store",
		    "%s: %s may be touched by others (mode %04o); cure: chmod 0600 %s", vault, path,
		    st.st_mode & 07777, path);
	else
		say(d, GOOD, "store", "%s: SQLite, %lld kB", vault, (long long)st.st_size / 1024);
}

static void look_at_stores(struct doctor *d)
{
	look_at_store(d, "house", d->s.store_house);
	look_at_store(d, "strategic", d->s.store_strategic);
	look_at_store(d, "operational", d->s.store_operational);
	look_at_store(d, "protection", d->s.store_protection);
}

/* ---- settings ---- */

static bool local_only(const char *listen)
{
	return strncmp(listen, "unix:", 5) == 0 || strncmp(listen, "127.", 4) == 0 ||
	       strncmp(listen, "[::1]", 5) == 0 || strncmp(listen, "localhost:", 10) == 0;
}

static bool lies_within(const char *path, const char *folder)
{
	char real[PATH_MAX];
	size_t n = strlen(folder);
	if (strncmp(path, folder, n) == 0 && path[n] == '/')
		return true;
	n = realpath(folder, real) != NULL ? strlen(real) : 0;
	return n > 0 && strncmp(path, real, n) == 0 && path[n] == '/';
}

static void look_at_settings(struct doctor *d)
{
	const struct settings *s = &d->s;
	if (!local_only(s->http_listen))
		say(d, BAD, "listen",
		    "%s can be reached from the network without TLS; cure: listen = unix:... and "
		    "the proxy of packaging/nginx",
		    s->http_listen);
	else
		say(d, GOOD, "listen", "%s is reached from this machine only", s->http_listen);
	if (strncmp(s->http_listen, "unix:", 5) == 0 && !s->http_tls)
		say(d, BAD, "tls",
		    "behind a proxy cookies must be marked Secure; cure: tls = yes in section "
		    "[http]");
	if (s->ledger_auditor_file[0] == '\0')
		say(d, NOTE, "auditor",
		    "checkpoints of the ledgers go to the log only; ledger.auditor_file takes them "
		    "where the administrator cannot write");
	else if (lies_within(s->ledger_auditor_file, d->folder))
		say(d, BAD, "auditor",
		    "the auditor's file is in the node's own folder, where whoever changes a "
		    "ledger can change it too; move it elsewhere");
	if (s->session_factor == SET_SESSION_FACTOR_OPTIONAL)
		say(d, BAD, "factor",
		    "nobody must have a second factor; cure: factor = custodians or everyone in "
		    "section [session]");
	if (s->process_sandbox != SET_PROCESS_SANDBOX_REQUIRED)
		say(d, BAD, "sandbox",
		    "the node also starts without its walls; cure: sandbox = required in section "
		    "[process]");
	if (s->node_exercise)
		say(d, NOTE, "exercise",
		    "the node holds synthetic data only and says so on every page");
}

/* ---- the machine ---- */

static void look_at_kernel(struct doctor *d)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	if (abi >= LANDLOCK_ABI_WANTED)
		say(d, GOOD, "kernel", "Landlock, version %ld", abi);
	else
		say(d, d->s.process_sandbox == SET_PROCESS_SANDBOX_REQUIRED ? BAD : NOTE, "kernel",
		    "the kernel has no Landlock: processes cannot be kept from each other's files; "
		    "cure: boot with lsm=landlock,..., Linux 5.13 or newer");
}

static void look_at_clock(struct doctor *d)
{
	struct timex t = {0};
	int state = adjtimex(&t);
	if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		say(d, NOTE, "clock",
		    "the machine's clock is not kept by a time service; entries of the ledgers "
		    "bear its time");
	else if (state >= 0)
		say(d, GOOD, "clock", "kept by a time service");
}

/* ---- the node, if it runs ---- */

static void look_at_node(struct doctor *d)
{
	long alive = client_status_of(d->s.http_listen, "/healthz");
	if (alive == 0) {
		say(d, NOTE, "node", "nothing answers at %s: the node does not run",
		    d->s.http_listen);
		return;
	}
	long ready = client_status_of(d->s.http_listen, "/readyz");
	if (alive == 200 && ready == 200)
		say(d, GOOD, "node", "runs and is ready");
	else
		say(d, BAD, "node",
		    "answers, but is not ready (/healthz %ld, /readyz %ld); its log says why",
		    alive, ready);
}

int cmd_doctor(struct cmd_context *c)
{
	struct doctor d = {.c = c, .findings = cmd_json(c) ? json_array() : NULL};
	const char *folder = cmd_argument(c, 0);
	size_t n = strlen(folder);
	while (n > 1 && folder[n - 1] == '/')
		n--;
	d.folder = arena_strndup(c->mem, folder, n);
	if (d.folder == NULL)
		return cmd_fail(c, -ENOMEM, NULL);
	struct diag fault = DIAG_INIT;
	if (access(inside(&d, "fairway.conf"), F_OK) != 0 &&
	    access(inside(&d, "keys"), F_OK) != 0) {
		json_decref(d.findings);
		(void)diag_set(&fault, FW_ENOTFOUND, "there is no node in %s", d.folder);
		return cmd_fail(c, FW_ENOTFOUND, &fault);
	}
	if (settings_load(inside(&d, "fairway.conf"), c->mem, &d.s, &fault) == 0) {
		say(&d, GOOD, "settings", "%s is well-formed", inside(&d, "fairway.conf"));
		look_at_settings(&d);
		look_at_stores(&d);
		look_at_kernel(&d);
		look_at_node(&d);
	} else {
		say(&d, BAD, "settings", "%s%s%s", fault.place, fault.place[0] != '\0' ? ": " : "",
		    fault.text);
	}
	look_at_folder(&d);
	look_at_space(&d);
	look_at_clock(&d);
	if (d.findings != NULL)
		print_json(json_pack("{s:b,s:o}", "healthy", d.bad == 0, "findings", d.findings));
	return d.bad == 0 ? FW_EXIT_OK : FW_EXIT_UNHEALTHY;
}
