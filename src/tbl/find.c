/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tbl/find.h"

#include <string.h>

/* Rows begin differently: the search is written once and given each the member to compare. */
#define FIND(function, rows, count, member)                     \
	int function(const char *name)                          \
	{                                                       \
		for (int i = 0; i < (count); i++)               \
			if (strcmp(rows[i].member, name) == 0)  \
				return i;                       \
		return -1;                                      \
	}

FIND(vault_find, vault_rows, VAULT_COUNT, name)
FIND(perm_find, perm_rows, PERM_COUNT, code)
FIND(role_find, role_rows, ROLE_COUNT, name)
FIND(purpose_find, purpose_rows, PURPOSE_COUNT, code)

static FIND(event_index, ledger_event_rows, LEDGER_EV_COUNT, code)
static FIND(shape_index, shapes, SHAPES_COUNT, name)

const struct ledger_event_row *ledger_event_of(const char *code)
{
	int i = event_index(code);
	return i < 0 ? NULL : &ledger_event_rows[i];
}

const struct ledger_event_row *ledger_event_find(int number)
{
	for (int i = 0; i < LEDGER_EV_COUNT; i++)
		if (ledger_event_rows[i].number == number)
			return &ledger_event_rows[i];
	return NULL;
}

const struct shape *shape_find(const char *name)
{
	int i = shape_index(name);
	return i < 0 ? NULL : &shapes[i];
}
