/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a rule says: its texts, its condition or readings, exceptions, days in force. */
#include "engine/rules/stanza.h"

#include <errno.h>
#include <string.h>

static int met_if(struct reader *r, struct rules_rule *rule, size_t i, size_t end, const char *name,
		  const char *words)
{
	static const char key[] = "met if ";
	const struct line *line = &r->lines.line[i];
	struct scope s = scope_of(rule->conclusion->subject, rule->conclusion->subjects);
	if (strncmp(line->text, key, sizeof(key) - 1) != 0)
		return fault(r, line, "found \"%.*s\"; expected \"met if\" and a condition",
			     (int)strcspn(line->text, " "), line->text);
	if (rule->readings > 0 && (name == NULL || rule->reading[0].name == NULL))
		return fault(
			r, line,
			"found a second condition; expected one \"met if\", or several readings");
	if (rule->readings == RULES_READINGS_MAX)
		return fault(r, line, "a rule has at most %d readings", RULES_READINGS_MAX);
	struct words w = words_of(r, line, line->text + sizeof(key) - 1);
	struct rules_cond *cond = NULL;
	int err = cond_line(&w, i + 1, end, &s, 1, &cond);
	rule->reading[rule->readings++] = (struct rules_reading){name, words, cond};
	return err;
}

/* reading NAME: words, then "met if" in deeper lines */
static int reading(struct reader *r, struct rules_rule *rule, size_t i, size_t end)
{
	struct words w = words_of(r, &r->lines.line[i], r->lines.line[i].text);
	const char *name, *words = NULL;
	(void)word_take(&w, "reading");
	int err = word_name(&w, "the name of the reading", &name);
	if (err == 0 && !word_take(&w, ":"))
		err = word_expected(&w, "\":\" and what the reading holds");
	if (err != 0)
		return err;
	for (uint32_t k = 0; k < rule->readings; k++)
		if (rule->reading[k].name != NULL && strcmp(rule->reading[k].name, name) == 0)
			return fault(
				r, &r->lines.line[i],
				"found the reading \"%s\" for a second time; expected another name",
				name);
	size_t at = i + 1;
	while (at < end && strncmp(r->lines.line[at].text, "met if ", 7) != 0)
		at++;
	(void)words_end(&w);
	err = text_field(r, i, at, w.at, &words);
	if (err == 0 && at == end)
		err = fault(
			r, &r->lines.line[i],
			"found a reading without a condition; expected \"met if\" in deeper lines");
	if (err == 0 && field_end(r, at, end) != end)
		err = fault(
			r, &r->lines.line[field_end(r, at, end)],
			"found a line after the reading's condition; expected nothing more in it");
	return err != 0 ? err : met_if(r, rule, at, end, name, words);
}

static int raised_by(struct reader *r, struct rules_rule *rule, struct words *w)
{
	if (rule->conclusion->kind != RULES_EXCEPTION)
		return fault(r, w->line,
			     "found \"raised by:\" in what is no exception; expected it in "
			     "exceptions only");
	rule->raised_by = arena_array(r->mem, strlen(w->at), sizeof(rule->raised_by[0]));
	if (rule->raised_by == NULL)
		return -ENOMEM;
	do {
		struct word x = word_peek(w);
		const struct name_entry *e = name_find(r->law, NAME_TERM, x.s, x.n);
		if (e == NULL || e->kind != NAME_FACT)
			return word_expected(w, "the name of a fact that is declared");
		(void)word_next(w);
		rule->raised_by[rule->nraised_by++] = e->thing;
	} while (word_take(w, ","));
	return line_done(w);
}

static int one_day(struct words *w, int32_t *ret, bool last)
{
	static const struct rules_fact date = {.name = "a date", .type = RULES_DATE};
	struct rules_value v;
	int err = value_read(w, &date, &v);
	if (err == 0)
		*ret = (int32_t)(last ? v.hi : v.lo);
	return err;
}

/* in force: [from DATE] [until DATE] */
static int in_force(struct reader *r, struct rules_rule *rule, struct words *w)
{
	int err = 0;
	if (words_end(w))
		return word_expected(w, "\"from\" or \"until\" and a date");
	if (word_take(w, "from"))
		err = one_day(w, &rule->from, false);
	if (err == 0 && word_take(w, "until"))
		err = one_day(w, &rule->to, true);
	if (err == 0 && !words_end(w))
		err = word_expected(
			w, "\"from\" and a date, \"until\" and a date, or both in this order");
	if (err == 0 && rule->from > rule->to)
		err = fault(r, w->line, "found a first day after the last one; expected it before");
	return err;
}

/* law of: the act | the request */
static int law_of(struct reader *r, struct rules_rule *rule, struct words *w)
{
	struct rules_conclusion *c = r->law->conclusion[rule->conclusion->index];
	enum rules_law_of of = word_take(w, "the act") ? RULES_OF_ACT : RULES_OF_REQUEST;
	if (of == RULES_OF_REQUEST && !word_take(w, "the request"))
		return word_expected(w, "\"the act\" or \"the request\"");
	if (c->version[0] != rule && c->law_of != of)
		return fault(r, w->line,
			     "found another \"law of:\" than in line %u of %s; expected versions "
			     "of one conclusion to agree",
			     c->version[0]->line, c->version[0]->file);
	c->law_of = of;
	return line_done(w);
}

static int unless(struct reader *r, struct rules_rule *rule, struct words *w)
{
	struct scope s = scope_of(rule->conclusion->subject, rule->conclusion->subjects);
	struct rules_cond *chain = NULL;
	if (rule->unless != NULL)
		return fault(r, w->line,
			     "found \"unless:\" for a second time; expected all exceptions in one");
	int err = cond_unless(w, &s, &chain);
	rule->unless = chain;
	return err;
}

/* A field that is no plain text: 1 if taken, 0 if it is none. */
static int special_field(struct reader *r, struct rules_rule *rule, size_t i, size_t end)
{
	static const struct {
		const char *key;
		int (*take)(struct reader *r, struct rules_rule *rule, struct words *w);
	} rows[] = {{"unless", unless},
		    {"raised by", raised_by},
		    {"in force", in_force},
		    {"law of", law_of}};
	const struct line *line = &r->lines.line[i];
	int err;
	if (strncmp(line->text, "met if ", 7) == 0) {
		err = met_if(r, rule, i, end, NULL, NULL);
		return err != 0 ? err : 1;
	}
	if (strncmp(line->text, "reading ", 8) == 0) {
		err = reading(r, rule, i, end);
		return err != 0 ? err : 1;
	}
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		const char *first = after_key(line->text, rows[k].key), *text = NULL;
		if (first == NULL)
			continue;
		err = text_field(r, i, end, first, &text);
		if (err != 0)
			return err;
		struct words w = words_of(r, line, text);
		err = rows[k].take(r, rule, &w);
		return err != 0 ? err : 1;
	}
	return 0;
}

int read_rule(struct reader *r, const struct stanza *s, struct words *w)
{
	struct rules_rule *rule = r->law->rule[r->law->rules++];
	const struct text_row rows[] = {{"article", &rule->article, true},
					{"strength", &rule->strength, true},
					{"sentence", &rule->sentence, true},
					{"says met", &rule->says_met, false},
					{"says not met", &rule->says_not_met, false},
					{"says unknown", &rule->says_unknown, false},
					{"source", &rule->source, false},
					{"note", &rule->note, false}};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	static const char more[] = "\"met if\", \"reading NAME:\", \"unless:\", \"raised by:\", "
				   "\"in force:\", \"law of:\"";
	(void)w;
	for (size_t i = s->from; i < s->to;) {
		size_t end = field_end(r, i, s->to);
		int err = same_depth(r, s, i);
		if (err == 0)
			err = special_field(r, rule, i, end);
		if (err == 0)
			err = one_text(r, i, end, rows, ROWS);
		if (err == 0)
			err = unknown_field(r, &r->lines.line[i], rows, ROWS, more);
		if (err < 0)
			return err;
		i = end;
	}
	return required_texts(r, s, rows, ROWS);
}
