/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A report as bytes: what a reader hands to its worker.  Little-endian, by
 * base/buf.h:
 *
 *   u8 version
 *   core, counts, detail, provenance: each a row
 *   for each block with rows, in order: u8 block, u8 rows, the rows
 *   u8 0xff
 *
 *   row   one bit a field, least first, rounded up to bytes: the field is set;
 *         then the cells that are set, in order
 *   cell  TEXT u16 bytes, the bytes | UUID 16 bytes | CODE u16 | ENUM u8 |
 *         SET u64 | COUNT u32 (two's complement) | INT u64 | BOOL u8 |
 *         DATE u32 | TIME u64 | DEG u32 (two's complement)
 *
 * Both ends are the same program, so a difference of versions is a fault of
 * the protocol.  The reader of it believes nothing: every cell is held to its
 * field, every count of rows to its block.
 */
#ifndef FW_REPORT_RECORD_H
#define FW_REPORT_RECORD_H

#include "domain/report/report_fields.h"

struct buf;
struct cursor;

enum { RECORD_VERSION = 1 };

/* Append. Errors stick in ${b}. */
void record_put(struct buf *b, const struct incident *inc);
/* Fill ${inc}, whose texts then point into the cursor's bytes. 0, FW_EFORMAT, FW_ETRUNC, -ENOMEM. */
int record_get(struct cursor *c, struct incident *inc);

#endif
