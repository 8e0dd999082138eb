/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/vaults.h"

#include <assert.h>
#include <stddef.h>

#include "domain/protect/protect.h"
#include "domain/report/report.h"
#include "gen/tables.h"
#include "node/access/access.h"
#include "node/ledger/ledger_routes.h"
#include "node/outbox/outbox.h"

enum { TASKS = 12, TABLES = 8, APPLIES = 8 };

/* The parts of one vault, each list with room for its end. */
struct parts {
	const struct call_row *calls[TABLES];
	struct task_row tasks[TASKS];
	struct apply_row applies[APPLIES];
};

static void add_calls(struct parts *p, const struct call_row *table)
{
	size_t i = 0;
	while (p->calls[i] != NULL)
		i++;
	assert(i + 1 < TABLES);
	p->calls[i] = table;
}

static void add_task(struct parts *p, const struct task_row *task)
{
	size_t i = 0;
	while (p->tasks[i].name != NULL)
		i++;
	assert(i + 1 < TASKS);
	p->tasks[i] = *task;
}

static void add_applies(struct parts *p, const struct apply_row *rows)
{
	size_t i = 0;
	while (p->applies[i].kind != NULL)
		i++;
	for (; rows->kind != NULL; rows++) {
		assert(i + 1 < APPLIES);
		p->applies[i++] = *rows;
	}
}

static int strategic_start(struct worker *w, struct diag *reterr)
{
	int r = grants_start(w, reterr);
	return r == 0 ? report_start(w, reterr) : r;
}

static void strategic_end(struct worker *w)
{
	report_end(w);
	grants_end(w);
}

const struct vault_def *vault_def_of(int vault)
{
	static struct parts parts;
	static struct vault_def def;
	assert(def.calls == NULL || def.vault == vault); /* a process is of one vault */
	if (def.calls != NULL)
		return &def;
	def = (struct vault_def){ .vault = vault,
				  .calls = parts.calls,
				  .tasks = parts.tasks,
				  .applies = parts.applies,
				  .start = grants_start,
				  .end = grants_end,
				  .permissions = grants_permissions };
	add_calls(&parts, grants_calls);
	add_calls(&parts, ledger_calls);
	add_task(&parts, &grants_task);
	add_task(&parts, &ledger_task);
	if (vault == VAULT_HOUSE) {
		add_calls(&parts, house_calls);
		add_task(&parts, &house_task);
		def.start = access_house_start;
		def.end = access_house_end;
		def.on_message = access_house_message;
	} else {
		add_task(&parts, &outbox_task);
	}
	if (vault == VAULT_STRATEGIC) {
		add_calls(&parts, report_calls);
		add_task(&parts, &report_import_task);
		add_task(&parts, &report_keep_task);
		def.start = strategic_start;
		def.end = strategic_end;
	}
	if (vault == VAULT_PROTECTION) {
		add_calls(&parts, protect_calls);
		add_applies(&parts, protect_applies);
	}
	return &def;
}
