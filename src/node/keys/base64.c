/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/keys/base64.h"

#include <sodium.h>
#include <string.h>

#include "base/err.h"

static bool of_alphabet(char c, bool lines)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
	       c == '/' || c == '=' || (lines && (c == '\n' || c == '\r'));
}

int base64_read(const char *text, size_t n, bool lines, uint8_t *out, size_t cap, size_t *ret_n)
{
	const char *stop = NULL;
	for (size_t i = 0; i < n; i++)
		if (!of_alphabet(text[i], lines))
			return FW_EFORMAT;
	if (sodium_base642bin(out, cap, text, n, lines ? "\r\n" : NULL, ret_n, &stop,
			      sodium_base64_VARIANT_ORIGINAL) != 0 || stop != text + n)
		return FW_EFORMAT;
	return 0;
}
