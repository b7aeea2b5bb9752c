/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON gate: strict reading on top of cJSON, which stays behind this header. */
#ifndef AMK_CORE_JSON_H
#define AMK_CORE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

#define AMK_JSON_DEPTH 64 /* nesting accepted */

/*
 * A value. Strings and children are borrowed from the tree and die with it. All readers accept
 * NULL (a missing member) and answer as for a value of another type.
 */
struct amk_json;

/*
 * Parses exactly one value. Refused, with AMK_EINVALID: syntax errors, bytes after the value,
 * invalid UTF-8, control characters and NUL (also as \u0000) in strings, lone surrogates,
 * duplicate keys, nesting over AMK_JSON_DEPTH. Numbers a double would change are kept as text.
 */
struct amk_json *amk_json_parse(const char *s, size_t n, struct amk_err *e);
void amk_json_free(struct amk_json *j);
void amk_auto_json(struct amk_json **j);

bool amk_json_is_object(const struct amk_json *j);
bool amk_json_is_array(const struct amk_json *j);
bool amk_json_is_null(const struct amk_json *j); /* null, not missing */
const struct amk_json *amk_json_get(const struct amk_json *object, const char *key);
/* Children of an object or array, in order. */
const struct amk_json *amk_json_first(const struct amk_json *j);
const struct amk_json *amk_json_next(const struct amk_json *j);
const char *amk_json_key(const struct amk_json *member);

const char *amk_json_str(const struct amk_json *j); /* NULL unless a string */
bool amk_json_int(const struct amk_json *j, int64_t *v); /* false unless an exact integer */
bool amk_json_num(const struct amk_json *j, double *v);
bool amk_json_bool(const struct amk_json *j, bool *v);
bool amk_json_true(const struct amk_json *j);

/* Shorthands for a member. */
const char *amk_json_get_str(const struct amk_json *object, const char *key);
int64_t amk_json_get_int(const struct amk_json *object, const char *key, int64_t otherwise);
/* Compares a string member: false when missing or another type. */
bool amk_json_is(const struct amk_json *object, const char *key, const char *value);

/* Writes the value as one line of JSON text; numbers as they came, member order kept. */
void amk_json_print(struct amk_buf *b, const char *key, const struct amk_json *j);

/* Reading an object by table: each row names a member, its type and its place in a struct. */
enum amk_json_type { AMK_JSON_STR, AMK_JSON_INT, AMK_JSON_BOOL, AMK_JSON_OBJECT, AMK_JSON_ARRAY };
struct amk_json_field {
	const char *key;
	size_t offset;
	enum amk_json_type type; /* const char *, int64_t, bool, const struct amk_json * */
	bool required;
};
#define AMK_JSON_FIELD(st, member, key, type, required) \
	{ key, offsetof(struct st, member), AMK_JSON_##type, required }
/* Unknown members are ignored; null counts as missing; a wrong type is AMK_EINVALID and names it. */
int amk_json_read(const struct amk_json *object, const struct amk_json_field *fields, size_t n,
		  void *out, struct amk_err *e);

#endif
