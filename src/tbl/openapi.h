/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The OpenAPI 3.1 document of the node, made from the tables by tools/mkopenapi.py; the front
 * serves it at /api/openapi.json. */
#ifndef FW_TBL_OPENAPI_H
#define FW_TBL_OPENAPI_H

#include <stddef.h>

extern const char openapi_json[]; /* JSON text, NUL after it */
extern const size_t openapi_json_len;

#endif
