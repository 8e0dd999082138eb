/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The settings of a node (settings.tbl): the reader and writer of fairway.conf.
 *
 *     # a comment
 *     [http]
 *     listen = unix:/run/fairway/http.sock
 *     name   = "  blanks kept between quotes  "
 *
 * UTF-8, one setting a line, lines at most SETTING_LINE_MAX bytes.  A comment
 * is a line of its own, with # or ; first.  Quotes around a whole value are
 * taken off; nothing inside is escaped.  A setting is given once; one that the
 * table does not know is an error, with the nearest name that it does know: a
 * misspelt limit must not be passed over in silence.
 *
 * Errors name file, line and cure.
 */
#ifndef FW_TBL_SETTINGS_H
#define FW_TBL_SETTINGS_H

#include <stddef.h>

#include "gen/tables.h"

struct arena;
struct buf;
struct diag;

enum { SETTING_LINE_MAX = 4096, SETTING_FILE_MAX = 256 * 1024, SETTING_TEXT_MAX = 4100 };

/*
 * Read ${n} bytes of the file ${path} (for messages, and for paths in it that
 * do not begin with /).  All of ${ret} is set on success: what the file does
 * not name has its standard value.  Strings live in ${mem}.  0, FW_EFORMAT,
 * FW_EINVALID, FW_ELIMIT, -ENOMEM.
 */
int settings_parse(const char *path, const void *text, size_t n, struct arena *mem,
		   struct settings *ret, struct diag *reterr);
/* The same from the file itself; also the errors of io_read_file(). */
int settings_load(const char *path, struct arena *mem, struct settings *ret, struct diag *reterr);

/* Give one setting another value, for options of the command line. ${name} is "http.listen". On
 * error nothing is changed. */
int settings_set(struct settings *s, const char *name, const char *value, struct arena *mem,
		 struct diag *reterr);

/* The row of "section.key", or NULL. */
const struct setting_row *setting_find(const char *name);
/* A value as it would stand in the file, cut at ${cap}. */
void setting_text(const struct settings *s, const struct setting_row *row, char *out, size_t cap);

/*
 * Write a whole file: every setting with its words as a comment, those at
 * their standard value commented out.  What it writes settings_parse() reads
 * back to the same values.
 */
void settings_write(const struct settings *s, struct buf *out);

#endif
