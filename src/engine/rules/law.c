/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The names of a law, the variables in sight, and the doors to both. */
#include "engine/rules/law.h"

#include <errno.h>
#include <string.h>

#include "text/near.h"

static uint32_t name_hash(enum name_space space, const char *s, size_t n)
{
	uint32_t h = 2166136261u ^ (uint32_t)space;
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	return h;
}

static struct name_entry *name_slot(const struct rules_law *law, enum name_space space,
				    const char *s, size_t n)
{
	uint32_t i = name_hash(space, s, n) & (law->name_cap - 1);
	for (;; i = (i + 1) & (law->name_cap - 1)) {
		struct name_entry *e = &law->name[i];
		if (e->name == NULL ||
		    (e->space == space && strncmp(e->name, s, n) == 0 && e->name[n] == '\0'))
			return e;
	}
}

const struct name_entry *name_find(const struct rules_law *law, enum name_space space,
				   const char *name, size_t n)
{
	const struct name_entry *e = name_slot(law, space, name, n);
	return e->name != NULL ? e : NULL;
}

int name_add(struct reader *r, enum name_space space, enum name_kind kind, const char *name,
	     void *thing, const struct line *at)
{
	struct rules_law *law = r->law;
	struct name_entry *e = name_slot(law, space, name, strlen(name));
	if (e->name != NULL)
		return fault(r, at, "\"%s\" is declared twice; first in %s, line %u", name, e->file,
			     e->line);
	if (law->names >= RULES_NAMES_MAX)
		return fault(r, at, "a law has at most %d names", RULES_NAMES_MAX);
	*e = (struct name_entry){name, space, kind, thing, at->file, at->no};
	law->names++;
	return 0;
}

const char *name_hint(struct reader *r, enum name_space space, const char *name, size_t n)
{
	char copy[RULES_NAME_MAX + 1];
	if (n > RULES_NAME_MAX)
		return "";
	memcpy(copy, name, n);
	copy[n] = '\0';
	struct near near = {.name = copy, .best_distance = n < 4 ? 2 : 3};
	for (uint32_t i = 0; i < r->law->name_cap; i++)
		if (r->law->name[i].name != NULL && r->law->name[i].space == space)
			near_offer(&near, r->law->name[i].name);
	const char *hint =
		near.best != NULL ? arena_printf(r->mem, "; did you mean \"%s\"?", near.best) : "";
	return hint != NULL ? hint : "";
}

int scope_find(const struct scope *s, const char *name, size_t n)
{
	for (unsigned i = s->n; i-- > 0;)
		if (strncmp(s->name[i], name, n) == 0 && s->name[i][n] == '\0')
			return (int)i;
	return -1;
}

int scope_push(struct scope *s, const struct rules_list *list, const char *name)
{
	if (s->n == RULES_VARS_MAX)
		return FW_ELIMIT;
	s->list[s->n] = list;
	s->name[s->n++] = name;
	return 0;
}

struct scope scope_of(const struct rules_subject *subject, uint32_t n)
{
	struct scope s = {.n = 0};
	for (uint32_t i = 0; i < n; i++)
		(void)scope_push(&s, subject[i].list, subject[i].as);
	return s;
}

int scope_default(const struct scope *s, const struct rules_subject *subject)
{
	int slot = scope_find(s, subject->as, strlen(subject->as));
	if (slot < 0)
		slot = scope_find(s, subject->list->name, strlen(subject->list->name));
	return slot >= 0 && s->list[slot] == subject->list ? slot : -1;
}

static int reserve(struct reader *r)
{
	struct rules_law *law = r->law;
	size_t stanzas = 0;
	for (size_t i = 0; i < r->lines.n; i++)
		stanzas += r->lines.line[i].indent == 0;
	if (stanzas > RULES_NAMES_MAX)
		return diag_set(r->err, FW_ELIMIT,
				"a law has at most %d stanzas, and this one has %zu",
				RULES_NAMES_MAX, stanzas);
	law->name_cap = 64;
	while (law->name_cap < 2 * stanzas)
		law->name_cap *= 2;
	law->name = arena_array(r->mem, law->name_cap, sizeof(law->name[0]));
	law->list = arena_array(r->mem, stanzas, sizeof(law->list[0]));
	law->book = arena_array(r->mem, stanzas, sizeof(law->book[0]));
	law->strength = arena_array(r->mem, stanzas, sizeof(law->strength[0]));
	law->fact = arena_array(r->mem, stanzas, sizeof(law->fact[0]));
	law->conclusion = arena_array(r->mem, stanzas, sizeof(law->conclusion[0]));
	law->rule = arena_array(r->mem, stanzas, sizeof(law->rule[0]));
	return arena_failed(r->mem) ? -ENOMEM : 0;
}

int rules_law_load(struct arena *mem, const struct rules_file *files, size_t n,
		   const struct rules_law **ret, struct diag *reterr)
{
	struct diag own = DIAG_INIT;
	struct reader r = {.mem = mem, .err = reterr != NULL ? reterr : &own};
	r.law = arena_alloc(mem, sizeof(*r.law));
	int err = r.law == NULL ? -ENOMEM : lines_read(&r, files, n);
	if (err == 0)
		err = reserve(&r);
	if (err == 0)
		err = stanzas_declare(&r);
	if (err == 0)
		err = stanzas_read(&r);
	if (err == 0)
		err = law_check(&r);
	if (arena_failed(mem)) {
		diag_clear(r.err);
		return diag_set(r.err, -ENOMEM, "no memory is left for the rules");
	}
	if (err == 0)
		*ret = r.law;
	return err;
}

uint32_t rules_list_count(const struct rules_law *law)
{
	return law->lists;
}

const struct rules_list *rules_list(const struct rules_law *law, uint32_t i)
{
	return law->list[i];
}

uint32_t rules_fact_count(const struct rules_law *law)
{
	return law->facts;
}

const struct rules_fact *rules_fact(const struct rules_law *law, uint32_t i)
{
	return law->fact[i];
}

uint32_t rules_conclusion_count(const struct rules_law *law)
{
	return law->conclusions;
}

const struct rules_conclusion *rules_conclusion(const struct rules_law *law, uint32_t i)
{
	return law->conclusion[i];
}

static const void *thing_of(const struct rules_law *law, const char *name, enum name_kind kind)
{
	const struct name_entry *e = name_find(law, NAME_TERM, name, strlen(name));
	return e != NULL && e->kind == kind ? e->thing : NULL;
}

const struct rules_list *rules_list_find(const struct rules_law *law, const char *name)
{
	return thing_of(law, name, NAME_LIST);
}

const struct rules_fact *rules_fact_find(const struct rules_law *law, const char *name)
{
	return thing_of(law, name, NAME_FACT);
}

const struct rules_conclusion *rules_conclusion_find(const struct rules_law *law, const char *name)
{
	return thing_of(law, name, NAME_CONCLUSION);
}

const struct rules_rule *rules_version(const struct rules_conclusion *c, int32_t day)
{
	for (uint32_t i = 0; i < c->versions; i++)
		if (c->version[i]->from <= day && day <= c->version[i]->to)
			return c->version[i];
	return NULL;
}
