/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Stanzas: a head at the left margin, its fields in deeper lines.
 *
 * Three passes over the same lines, so that files and stanzas may stand in any
 * order: lists, codes and strengths; then facts and the heads of rules; then
 * what the rules say.
 */
#include "engine/rules/stanza.h"

#include <errno.h>
#include <string.h>

enum { VALUES_MAX = 5000 };

typedef int (*stanza_fn)(struct reader *r, const struct stanza *s, struct words *w);

/* A stanza's first word, and who takes it in each pass. */
struct stanza_row {
	const char *word;
	stanza_fn pass[3];
};

/* ---- lists, codes, strengths ---- */

/* A stanza of texts only. */
static int texts_only(struct reader *r, const struct stanza *s, const struct text_row *rows,
		      size_t n)
{
	for (size_t i = s->from; i < s->to;) {
		size_t end = field_end(r, i, s->to);
		int err = same_depth(r, s, i);
		if (err == 0)
			err = one_text(r, i, end, rows, n);
		if (err == 0)
			err = unknown_field(r, &r->lines.line[i], rows, n, "");
		if (err < 0)
			return err;
		i = end;
	}
	return required_texts(r, s, rows, n);
}

static int declare_list(struct reader *r, const struct stanza *s, struct words *w)
{
	struct rules_list *l = arena_alloc(r->mem, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	int err = word_name(w, "the name of the list", &l->name);
	if (err == 0)
		err = line_done(w);
	if (err == 0)
		err = name_add(r, NAME_TERM, NAME_LIST, l->name, l, s->head);
	if (err != 0)
		return err;
	l->file = s->head->file;
	l->line = s->head->no;
	l->index = r->law->lists;
	r->law->list[r->law->lists++] = l;
	const struct text_row rows[] = {{"words", &l->words, true}};
	return texts_only(r, s, rows, 1);
}

static int declare_strength(struct reader *r, const struct stanza *s, struct words *w)
{
	struct strength *t = arena_alloc(r->mem, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	int err = word_name(w, "the name of the strength", &t->name);
	if (err == 0)
		err = line_done(w);
	if (err == 0)
		err = name_add(r, NAME_STRENGTH, NAME_STRENGTH_WORD, t->name, t, s->head);
	if (err != 0)
		return err;
	r->law->strength[r->law->strengths++] = t;
	const struct text_row rows[] = {{"words", &t->words, true}};
	return texts_only(r, s, rows, 1);
}

/* NAME: words */
static int one_code(struct reader *r, size_t i, size_t end, struct rules_codes *book,
		    struct rules_code *code)
{
	struct words w = words_of(r, &r->lines.line[i], r->lines.line[i].text);
	int err = word_name(&w, "a code", &code->name);
	if (err == 0 && !word_take(&w, ":"))
		err = word_expected(&w, "\":\" and what the code means");
	if (err == 0 && codes_find(book, code->name, strlen(code->name)) >= 0)
		err = fault(r, &r->lines.line[i],
			    "found the code \"%s\" for a second time; expected it once",
			    code->name);
	(void)words_end(&w);
	return err != 0 ? err : text_field(r, i, end, w.at, &code->words);
}

static int declare_codes(struct reader *r, const struct stanza *s, struct words *w)
{
	struct rules_codes *b = arena_alloc(r->mem, sizeof(*b));
	struct rules_code *code = arena_array(r->mem, s->to - s->from, sizeof(*code));
	if (b == NULL || code == NULL)
		return -ENOMEM;
	b->code = code;
	int err = word_name(w, "the name of the codes", &b->name);
	if (err == 0)
		err = line_done(w);
	if (err == 0)
		err = name_add(r, NAME_CODES, NAME_BOOK, b->name, b, s->head);
	for (size_t i = s->from; err == 0 && i < s->to; b->n++) {
		size_t end = field_end(r, i, s->to);
		err = b->n < VALUES_MAX
			      ? same_depth(r, s, i)
			      : fault(r, s->head, "codes have at most %d values", VALUES_MAX);
		if (err == 0)
			err = one_code(r, i, end, b, &code[b->n]);
		i = end;
	}
	if (err == 0 && b->n == 0)
		err = fault(r, s->head,
			    "found \"%s\" without a value; expected lines such as \"sea: by sea\"",
			    s->head->text);
	b->file = s->head->file;
	b->line = s->head->no;
	r->law->book[r->law->books++] = b;
	return err;
}

/* ---- facts and heads of rules
 * -------------------------------------------------------------------- */

/* LIST [as NAME] */
static int subject(struct words *w, struct rules_subject *ret, const struct rules_subject *before,
		   uint32_t n)
{
	struct word x = word_peek(w);
	const struct name_entry *e = name_find(w->r->law, NAME_TERM, x.s, x.n);
	if (e == NULL || e->kind != NAME_LIST)
		return word_expected(w, "the name of a list that is declared");
	(void)word_next(w);
	ret->list = e->thing;
	ret->as = e->name;
	int err = word_take(w, "as") ? word_name(w, "a name for the subject", &ret->as) : 0;
	if (err != 0)
		return err;
	if (ret->as != e->name && name_find(w->r->law, NAME_TERM, ret->as, strlen(ret->as)) != NULL)
		return fault(w->r, w->line,
			     "found \"%s\" as a name for a subject; expected one that no list, "
			     "fact or rule has",
			     ret->as);
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(before[i].as, ret->as) == 0)
			return fault(w->r, w->line,
				     "found \"%s\" twice among the subjects; expected \"%s as\" "
				     "and another name",
				     ret->as, ret->list->name);
	return 0;
}

/* [of SUBJECT {, SUBJECT}] */
static int subjects(struct words *w, struct rules_subject *ret, uint32_t *n)
{
	*n = 0;
	if (!word_take(w, "of"))
		return 0;
	do {
		if (*n == RULES_SUBJECTS_MAX)
			return word_expected(w, "no more than three subjects");
		int err = subject(w, &ret[*n], ret, *n);
		if (err != 0)
			return err;
		(*n)++;
	} while (word_take(w, ","));
	return 0;
}

static int fact_type(struct words *w, struct rules_fact *f)
{
	static const struct {
		const char *words;
		enum rules_type type;
	} types[] = {{"yes or no", RULES_YESNO},
		     {"number", RULES_NUMBER},
		     {"amount", RULES_AMOUNT},
		     {"date", RULES_DATE},
		     {"code of", RULES_CODE}};
	static const char expected[] =
		"\"yes or no\", \"number\", \"amount\", \"date\" or \"code of\" and a name";
	size_t i = 0;
	while (i < sizeof(types) / sizeof(types[0]) && !word_take(w, types[i].words))
		i++;
	if (i == sizeof(types) / sizeof(types[0]))
		return word_expected(w, expected);
	f->type = types[i].type;
	if (f->type != RULES_CODE)
		return line_done(w);
	struct word x = word_peek(w);
	const struct name_entry *e = name_find(w->r->law, NAME_CODES, x.s, x.n);
	if (e == NULL)
		return word_expected(w, "the name of codes that are declared");
	(void)word_next(w);
	f->codes = e->thing;
	return line_done(w);
}

static int declare_fact(struct reader *r, const struct stanza *s, struct words *w)
{
	struct rules_fact *f = arena_alloc(r->mem, sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	int err = word_name(w, "the name of the fact", &f->name);
	if (err == 0)
		err = subjects(w, f->subject, &f->subjects);
	if (err == 0 && !word_take(w, ":"))
		err = word_expected(w, f->subjects == 0 ? "\"of\" and a list, or \":\" and a type"
							: "\":\" and a type");
	if (err == 0)
		err = fact_type(w, f);
	if (err == 0)
		err = name_add(r, NAME_TERM, NAME_FACT, f->name, f, s->head);
	if (err != 0)
		return err;
	f->file = s->head->file;
	f->line = s->head->no;
	f->index = r->law->facts;
	r->law->fact[r->law->facts++] = f;
	const struct text_row rows[] = {{"ask", &f->ask, true},
					{"means", &f->means, false},
					{"source", &f->source, false},
					{"note", &f->note, false}};
	return texts_only(r, s, rows, 4);
}

static bool same_subjects(const struct rules_conclusion *a, const struct rules_subject *b,
			  uint32_t n)
{
	for (uint32_t i = 0; i < n && a->subjects == n; i++)
		if (a->subject[i].list != b[i].list || strcmp(a->subject[i].as, b[i].as) != 0)
			return false;
	return a->subjects == n;
}

/* The conclusion that the head names: a new one, or one that has a version already. */
static int conclusion_of(struct reader *r, const struct stanza *s, struct words *w,
			 enum rules_kind kind, struct rules_conclusion **ret)
{
	struct rules_conclusion *c = arena_alloc(r->mem, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->kind = kind;
	int err = word_name(w, "the name of the rule", &c->name);
	if (err == 0)
		err = subjects(w, c->subject, &c->subjects);
	if (err == 0)
		err = line_done(w);
	if (err != 0)
		return err;
	const struct name_entry *e = name_find(r->law, NAME_TERM, c->name, strlen(c->name));
	*ret = e != NULL && e->kind == NAME_CONCLUSION ? e->thing : c;
	if (*ret == c) {
		c->index = r->law->conclusions;
		r->law->conclusion[r->law->conclusions++] = c;
		return name_add(r, NAME_TERM, NAME_CONCLUSION, c->name, c, s->head);
	}
	if ((*ret)->kind != kind || !same_subjects(*ret, c->subject, c->subjects))
		return fault(r, s->head,
			     "found \"%s\" of another kind or of other subjects than in %s, line "
			     "%u; expected versions of one conclusion to agree",
			     c->name, e->file, e->line);
	return (*ret)->versions < RULES_PERIODS_MAX
		       ? 0
		       : fault(r, s->head, "a conclusion has at most %d versions",
			       RULES_PERIODS_MAX);
}

static int declare_rule(struct reader *r, const struct stanza *s, struct words *w,
			enum rules_kind kind)
{
	struct rules_rule *rule = arena_alloc(r->mem, sizeof(*rule));
	struct rules_conclusion *c = NULL;
	int err = rule == NULL ? -ENOMEM : conclusion_of(r, s, w, kind, &c);
	if (err != 0)
		return err;
	rule->conclusion = c;
	rule->file = s->head->file;
	rule->line = s->head->no;
	rule->from = INT32_MIN;
	rule->to = INT32_MAX;
	c->version[c->versions++] = rule;
	r->law->rule[r->law->rules++] = rule;
	return 0;
}

static int declare_finding(struct reader *r, const struct stanza *s, struct words *w)
{
	return declare_rule(r, s, w, RULES_RULE);
}

static int declare_definition(struct reader *r, const struct stanza *s, struct words *w)
{
	return declare_rule(r, s, w, RULES_DEFINITION);
}

static int declare_exception(struct reader *r, const struct stanza *s, struct words *w)
{
	return declare_rule(r, s, w, RULES_EXCEPTION);
}

/* ---- all stanzas
 * --------------------------------------------------------------------------------- */

static const struct stanza_row stanza_rows[] = {
	{"strength", {declare_strength, NULL, NULL}},
	{"list", {declare_list, NULL, NULL}},
	{"codes", {declare_codes, NULL, NULL}},
	{"fact", {NULL, declare_fact, NULL}},
	{"rule", {NULL, declare_finding, read_rule}},
	{"definition", {NULL, declare_definition, read_rule}},
	{"exception", {NULL, declare_exception, read_rule}},
};

static int one_stanza(struct reader *r, const struct stanza *s, int pass)
{
	struct words w = words_of(r, s->head, s->head->text);
	for (size_t i = 0; i < sizeof(stanza_rows) / sizeof(stanza_rows[0]); i++) {
		if (!word_take(&w, stanza_rows[i].word))
			continue;
		stanza_fn take = stanza_rows[i].pass[pass];
		return take != NULL ? take(r, s, &w) : 0;
	}
	return word_expected(&w, "a stanza: \"strength\", \"list\", \"codes\", \"fact\", \"rule\", "
				 "\"definition\" or \"exception\" and a name");
}

static int each_stanza(struct reader *r, int pass)
{
	for (size_t i = 0; i < r->lines.n;) {
		struct stanza s = {&r->lines.line[i], i + 1, i + 1};
		while (s.to < r->lines.n && r->lines.line[s.to].indent > 0)
			s.to++;
		int err = one_stanza(r, &s, pass);
		if (err != 0)
			return err;
		i = s.to;
	}
	return 0;
}

int stanzas_declare(struct reader *r)
{
	int err = each_stanza(r, 0);
	return err != 0 ? err : each_stanza(r, 1);
}

int stanzas_read(struct reader *r)
{
	r->law->rules = 0; /* counts again as they are read */
	return each_stanza(r, 2);
}
