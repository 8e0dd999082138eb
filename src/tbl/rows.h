/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a row of each table looks like in C.
 *
 * The tables themselves are texts (src/tbl/<name>.tbl); tools/mktables.py turns
 * them into gen/tables.h (the enums: enum op, enum perm, enum role, ...) and
 * gen/tables.c (the arrays).  Include "gen/tables.h": it brings this header.
 *
 * All rows are constant and live as long as the process.  Words are English,
 * for programs, manuals and logs; the pages have catalogues of their own.
 */
#ifndef FW_TBL_ROWS_H
#define FW_TBL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- access.tbl ---- */

struct vault_row {
	const char *name;   /* "strategic": also the part of an address, a folder, a process */
	const char *origin; /* last part of the origin of its checkpoints */
	const char *words;
};

/* A route's permission when it is not a row of access.tbl. */
enum { PERM_PUBLIC = -1, PERM_SESSION = -2 };

struct perm_row {
	const char *code; /* "report.read" */
	int vault;        /* enum vault */
	unsigned bit;     /* below 64, counted within its vault: call->permissions has 1 << bit */
	const char *words;
};

struct role_row {
	const char *name; /* "focal_point" */
	int vault;        /* enum vault; every permission of the role is of this vault */
	uint64_t permissions; /* bits of its permissions */
	const char *words;
};

/* ---- shapes.tbl ---- */

enum shape_type {
	SHAPE_STRING, /* limits: bytes of UTF-8 */
	SHAPE_INT,    /* limits: value */
	SHAPE_REAL,   /* limits: value */
	SHAPE_BOOL,
	SHAPE_UUID,
	SHAPE_TIME,
	SHAPE_DATE, /* "2026-11-25", "2026-11", "2026", or "" for unknown */
	SHAPE_COUNT, /* a number or "unknown", "not_collected", "withheld" */
	SHAPE_CODE,  /* of a codebook; only its form is checked here */
	SHAPE_ENUM,
	SHAPE_SHAPE,  /* another shape */
	SHAPE_OBJECT, /* free JSON, answers only */
};

enum { SHAPE_COUNT_MAX = 1000000000, SHAPE_CODE_MAX = 60 };

struct shape;

/* What a single value may be: of a field, of an array's elements, of a query parameter. */
struct value_type {
	int type;                   /* enum shape_type */
	double min, max;            /* bytes or value; whole numbers below 2^53 are exact */
	const char *const *choices; /* of an enum, NULL at the end; NULL otherwise */
	const char *codebook;       /* of a code; NULL otherwise */
	const struct shape *shape;  /* of SHAPE_SHAPE; NULL otherwise */
};

struct shape_field {
	const char *name;
	struct value_type value; /* of an array: of its elements */
	bool array;
	uint32_t array_min, array_max;
	bool required;
	bool secret; /* never into a log, an error, a ledger */
	const char *words;
};

struct shape {
	const char *name;
	const char *words;
	const struct shape_field *fields;
	size_t nfields;
};

/* ---- routes.tbl ---- */

enum body_kind { BODY_NONE, BODY_JSON, BODY_UPLOAD };

enum {
	ROUTE_PURPOSE = 1, /* needs a purpose (header X-Fairway-Purpose, or query "purpose" where the route has one) */
	ROUTE_STREAM = 2,  /* the answer may be of any length */
};

struct query_row {
	const char *name;
	struct value_type value;
	bool required;
	const char *words;
};

/* A part of the path in braces. {id} is a uuid, any other a code. */
struct param_row {
	const char *name;
	int type; /* SHAPE_UUID or SHAPE_CODE */
};

struct answer_row {
	int status;
	const struct shape *shape; /* NULL: no body, or bytes */
	bool bytes;                /* a body that is not JSON */
	const char *words;
};

/* One method and path. A route of several vaults has a row for each, with the same op. */
struct route_row {
	int op;                /* enum op */
	const char *operation; /* "list_incidents"; in ledger entries and OpenAPI */
	const char *method;    /* "GET" */
	const char *path;      /* "/api/report/incidents/{id}" */
	int vault;             /* enum vault: whose worker answers */
	int perm;              /* enum perm, PERM_PUBLIC or PERM_SESSION */
	int body;              /* enum body_kind */
	const struct shape *in; /* of BODY_JSON */
	unsigned flags;         /* ROUTE_PURPOSE | ROUTE_STREAM */
	const struct param_row *params;
	size_t nparams;
	const struct query_row *queries;
	size_t nqueries;
	const struct answer_row *answers; /* beyond those that every route gives */
	size_t nanswers;
	const char *words;
};

/* ---- messages.tbl ---- */

struct message_row {
	const char *name;
	uint32_t from, to; /* bits 1 << enum proc */
	uint32_t min, max; /* bytes of the payload */
	bool descriptor;   /* carries one */
	const char *words;
};

/* ---- ledger_events.tbl, purposes.tbl, metrics.tbl ---- */

struct ledger_event_row {
	int number; /* enum ledger_event: permanent, it is in the ledgers */
	const char *code;
	const char *words;
};

struct purpose_row {
	const char *code;
	uint32_t vaults; /* bits 1 << enum vault in which it may be named */
	const char *words;
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_row {
	const char *name; /* "fairway_http_requests_total" */
	int type;         /* enum metric_type */
	const char *const *labels;  /* names, NULL at the end */
	const double *bounds;       /* upper bounds of a histogram's buckets, without +Inf */
	size_t nbounds;
	const char *words;
};

/* ---- settings.tbl ---- */

enum setting_type { SETTING_STRING, SETTING_PATH, SETTING_INT, SETTING_BOOL, SETTING_ENUM };

struct setting_row {
	const char *section, *key;
	int type;                   /* enum setting_type */
	int64_t min, max;           /* bytes of a string, value of an int */
	const char *const *choices; /* of an enum, NULL at the end */
	const char *standard;       /* as it would stand in the file; NULL: must be given */
	size_t offset;              /* in struct settings */
	const char *words;
};

/* ---- commands.tbl ---- */

enum option_type { OPTION_FLAG, OPTION_STRING, OPTION_INT, OPTION_ENUM };

struct option_row {
	const char *name; /* "node": given as --node */
	int letter;       /* short form, 0 for none */
	int type;         /* enum option_type */
	const char *argument; /* name of the value in help texts; NULL for a flag */
	int64_t min, max;
	const char *const *choices; /* of an enum, NULL at the end */
	bool required, repeat;
	const char *words;
};

struct argument_row {
	const char *name; /* "FILE" */
	bool optional, many;
	const char *words;
};

struct example_row {
	const char *line;
	const char *words;
};

/* A command or a verb of one: "report", "report import". */
struct command_row {
	int cmd;             /* enum cmd */
	const char *command; /* "report" */
	const char *verb;    /* "import"; NULL for the command itself */
	bool abstract;       /* does nothing without a verb */
	bool hidden;         /* not in the list of commands */
	bool offline;        /* works on files of the node, not through it */
	const struct option_row *options;
	size_t noptions;
	const struct argument_row *arguments;
	size_t narguments;
	const struct example_row *examples;
	size_t nexamples;
	const char *words; /* one line */
	const char *text;  /* the rest; "" for none */
};

struct exit_row {
	int status;       /* enum fw_exit */
	const char *name; /* "usage" */
	const char *words;
};

#endif
