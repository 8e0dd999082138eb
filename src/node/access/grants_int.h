/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the files of the vaults' side share. */
#ifndef FW_NODE_ACCESS_GRANTS_INT_H
#define FW_NODE_ACCESS_GRANTS_INT_H

#include "node/access/grants.h"

struct worker;

/*
 * To be called in the handler that changes grants: from here on nothing is
 * read from the cache nor kept in it until the task has run, which happens
 * when the transaction has ended, one way or the other.
 */
void grants_changed(struct worker *w);
/* The account was marked in the house for a grant that may yet fail: the task looks again. */
void grants_marked(struct worker *w, const struct uuid *account);

#endif
