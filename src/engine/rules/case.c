/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "engine/rules/case.h"

#include <errno.h>
#include <string.h>

enum { BUCKETS_FIRST = 256, MEMBERS_FIRST = 8 };
/* Dates of the years 1 to 9999. */
enum { DAY_FIRST = -719162, DAY_LAST = 2932896 };

struct rules_case *rules_case_new(struct arena *mem, const struct rules_law *law)
{
	struct rules_case *c = arena_alloc(mem, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->mem = mem;
	c->law = law;
	c->list = arena_array(mem, law->lists, sizeof(c->list[0]));
	c->buckets = BUCKETS_FIRST;
	c->bucket = arena_array(mem, c->buckets, sizeof(struct entry *));
	return c->list != NULL && c->bucket != NULL ? c : NULL;
}

static int members_grow(struct rules_case *c, struct member_list *l)
{
	uint32_t cap = l->cap == 0 ? MEMBERS_FIRST : l->cap * 2;
	const char **name = arena_array(c->mem, cap, sizeof(name[0]));
	if (name == NULL)
		return -ENOMEM;
	if (l->n > 0)
		memcpy(name, l->name, l->n * sizeof(name[0]));
	l->name = name;
	l->cap = cap;
	return 0;
}

int rules_case_add(struct rules_case *c, const struct rules_list *list, const char *name,
		   uint32_t *ret)
{
	struct member_list *l = &c->list[list->index];
	for (uint32_t i = 0; i < l->n; i++)
		if (strcmp(l->name[i], name) == 0)
			return FW_EEXISTS;
	if (l->n == RULES_MEMBERS_MAX)
		return FW_ELIMIT;
	int err = l->n == l->cap ? members_grow(c, l) : 0;
	if (err != 0)
		return err;
	l->name[l->n] = arena_strdup(c->mem, name);
	if (l->name[l->n] == NULL)
		return -ENOMEM;
	*ret = l->n++;
	return 0;
}

uint32_t rules_case_members(const struct rules_case *c, const struct rules_list *list)
{
	return c->list[list->index].n;
}

const char *rules_case_member(const struct rules_case *c, const struct rules_list *list, uint32_t i)
{
	return i < c->list[list->index].n ? c->list[list->index].name[i] : NULL;
}

void rules_case_complete(struct rules_case *c, const struct rules_list *list, bool complete)
{
	c->list[list->index].complete = complete;
}

bool rules_case_is_complete(const struct rules_case *c, const struct rules_list *list)
{
	return c->list[list->index].complete;
}

static uint32_t entry_hash(const struct rules_fact *f, const uint32_t *members)
{
	uint32_t h = f->index * 2654435761u;
	for (uint32_t i = 0; i < f->subjects; i++)
		h = (h ^ members[i]) * 16777619u + (h >> 15);
	return h ^ (h >> 16);
}

static bool entry_is(const struct entry *e, const struct rules_fact *f, const uint32_t *members)
{
	for (uint32_t i = 0; i < f->subjects; i++)
		if (e->member[i] != members[i])
			return false;
	return e->fact == f;
}

static struct entry *find(const struct rules_case *c, const struct rules_fact *f,
			  const uint32_t *members)
{
	struct entry *e = c->bucket[entry_hash(f, members) & (c->buckets - 1)];
	while (e != NULL && !entry_is(e, f, members))
		e = e->chain;
	return e;
}

const struct entry *case_entry(const struct rules_case *c, const struct rules_fact *f,
			       const uint32_t *members)
{
	return find(c, f, members);
}

static void hang(struct rules_case *c, struct entry *e)
{
	struct entry **b = &c->bucket[entry_hash(e->fact, e->member) & (c->buckets - 1)];
	e->chain = *b;
	*b = e;
}

static int table_grow(struct rules_case *c)
{
	struct entry **bucket = arena_array(c->mem, (size_t)c->buckets * 2, sizeof(struct entry *));
	if (bucket == NULL)
		return -ENOMEM;
	c->bucket = bucket;
	c->buckets *= 2;
	for (struct entry *e = c->first; e != NULL; e = e->next)
		hang(c, e);
	return 0;
}

static int add_entry(struct rules_case *c, const struct rules_fact *f, const uint32_t *members,
		     struct entry **ret)
{
	int err = c->entries >= c->buckets ? table_grow(c) : 0;
	struct entry *e = err == 0 ? arena_alloc(c->mem, sizeof(*e)) : NULL;
	if (e == NULL)
		return -ENOMEM;
	e->fact = f;
	for (uint32_t i = 0; i < f->subjects; i++)
		e->member[i] = members[i];
	*(c->last != NULL ? &c->last->next : &c->first) = e;
	c->last = e;
	c->entries++;
	hang(c, e);
	*ret = e;
	return 0;
}

static const char *copy(struct arena *mem, const char *s)
{
	return s != NULL ? arena_strdup(mem, s) : NULL;
}

static bool value_fits(const struct rules_fact *f, const struct rules_value *v)
{
	int64_t top = f->type == RULES_YESNO  ? 1
		      : f->type == RULES_CODE ? (int64_t)f->codes->n - 1
					      : INT64_MAX;
	int64_t bottom = f->type == RULES_YESNO || f->type == RULES_CODE ? 0 : INT64_MIN;
	if (f->type == RULES_DATE) {
		bottom = DAY_FIRST;
		top = DAY_LAST;
	}
	if ((f->type == RULES_YESNO || f->type == RULES_CODE) && v->lo != v->hi)
		return false;
	return v->type == f->type && v->lo <= v->hi && v->lo >= bottom && v->hi <= top &&
	       memchr(v->currency, '\0', sizeof(v->currency)) != NULL;
}

static int members_fit(const struct rules_case *c, const struct rules_fact *f,
		       const uint32_t *members)
{
	for (uint32_t i = 0; i < f->subjects; i++)
		if (members[i] >= c->list[f->subject[i].list->index].n)
			return FW_ENOTFOUND;
	return 0;
}

int rules_case_state(struct rules_case *c, const struct rules_fact *f, const uint32_t *members,
		     struct rules_value v, const struct rules_said *said)
{
	int err = value_fits(f, &v) ? members_fit(c, f, members) : FW_ERANGE;
	struct entry *e = err == 0 ? find(c, f, members) : NULL;
	if (err == 0 && e == NULL)
		err = add_entry(c, f, members, &e);
	if (err == 0 && e->n == RULES_SAID_MAX)
		err = FW_ELIMIT;
	struct rules_statement *s = err == 0 ? arena_alloc(c->mem, sizeof(*s)) : NULL;
	if (s == NULL)
		return err != 0 ? err : -ENOMEM;
	s->value = v;
	if (said != NULL)
		s->said = (struct rules_said){copy(c->mem, said->who), copy(c->mem, said->evidence),
					      copy(c->mem, said->certainty), said->denies};
	if (arena_failed(c->mem))
		return -ENOMEM;
	*(e->last != NULL ? &e->last->next : &e->first) = s;
	e->last = s;
	e->n++;
	return 0;
}

void rules_case_unstate(struct rules_case *c, const struct rules_fact *f, const uint32_t *members)
{
	struct entry *e = members_fit(c, f, members) == 0 ? find(c, f, members) : NULL;
	if (e != NULL) {
		e->first = e->last = NULL;
		e->n = 0;
	}
}

/* Each case has its own chain; the words in it are shared. */
static int copy_entry(struct rules_case *to, const struct entry *from)
{
	struct entry *e;
	int err = add_entry(to, from->fact, from->member, &e);
	for (const struct rules_statement *s = from->first; err == 0 && s != NULL; s = s->next) {
		struct rules_statement *mine = arena_alloc(to->mem, sizeof(*mine));
		if (mine == NULL)
			return -ENOMEM;
		*mine = *s;
		mine->next = NULL;
		*(e->last != NULL ? &e->last->next : &e->first) = mine;
		e->last = mine;
		e->n++;
	}
	return err;
}

struct rules_case *rules_case_fork(struct arena *mem, const struct rules_case *c)
{
	struct rules_case *copy_of = rules_case_new(mem, c->law);
	for (uint32_t i = 0; copy_of != NULL && i < c->law->lists; i++) {
		struct member_list *l = &copy_of->list[i];
		*l = c->list[i];
		l->name = arena_array(mem, l->cap, sizeof(l->name[0]));
		if (l->name == NULL)
			return NULL;
		if (l->n > 0)
			memcpy(l->name, c->list[i].name, l->n * sizeof(l->name[0]));
	}
	for (const struct entry *e = c->first; copy_of != NULL && e != NULL; e = e->next)
		if (copy_entry(copy_of, e) != 0)
			return NULL;
	return copy_of;
}
