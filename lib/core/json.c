/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lexical pass of our own refuses what cJSON lets through, then cJSON builds the tree.
 * A number that a double would change is handed to cJSON as a string behind an 0xff byte, which no
 * accepted text can hold, and turned into a raw node afterwards.
 */
#include "core/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/jw.h"
#include "core/utf8.h"

#define BIG_MARK '\xff'
#define NUMBER_MAX 64 /* characters */

struct scan {
	const char *s, *end, *at;
	struct amk_buf text; /* what cJSON gets, used once a big number was met */
	const char *copied;  /* up to where `text` holds the source */
	int depth;
	struct amk_err *e;
};

static int refuse(struct scan *sc, const char *why)
{
	return amk_err_set(sc->e, AMK_EINVALID, "not usable JSON at byte %zu: %s",
			   (size_t)(sc->at - sc->s), why);
}

static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* sc->at is behind "\u". */
static int scan_unicode(struct scan *sc)
{
	int v = hex4(sc->at, sc->end), low;

	if (v < 0)
		return refuse(sc, "\\u needs four hexadecimal digits");
	if (v == 0)
		return refuse(sc, "NUL in a string");
	if (v >= 0xdc00 && v <= 0xdfff)
		return refuse(sc, "lone surrogate");
	sc->at += 4;
	if (v < 0xd800 || v > 0xdbff)
		return 0;
	if (sc->end - sc->at < 6 || sc->at[0] != '\\' || sc->at[1] != 'u')
		return refuse(sc, "lone surrogate");
	low = hex4(sc->at + 2, sc->end);
	if (low < 0xdc00 || low > 0xdfff)
		return refuse(sc, "lone surrogate");
	sc->at += 6;
	return 0;
}

static int scan_escape(struct scan *sc)
{
	sc->at++;
	if (sc->at >= sc->end)
		return refuse(sc, "text ends inside a string");
	if (*sc->at == 'u') {
		sc->at++;
		return scan_unicode(sc);
	}
	if (!strchr("\"\\/bfnrt", *sc->at) || *sc->at == '\0')
		return refuse(sc, "unknown escape");
	sc->at++;
	return 0;
}

static int scan_string(struct scan *sc)
{
	sc->at++;
	while (sc->at < sc->end) {
		unsigned char c = (unsigned char)*sc->at;

		if (c == '"') {
			sc->at++;
			return 0;
		}
		if (c == '\\') {
			if (scan_escape(sc) < 0)
				return -1;
		} else if (c < ' ') {
			return refuse(sc, "control character in a string");
		} else if (c < 0x80) {
			sc->at++;
		} else {
			size_t len = amk_utf8_len(sc->at, (size_t)(sc->end - sc->at));

			if (!len)
				return refuse(sc, "invalid UTF-8");
			sc->at += len;
		}
	}
	return refuse(sc, "text ends inside a string");
}

static size_t digits(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && *q >= '0' && *q <= '9')
		q++;
	return (size_t)(q - p);
}

/* Length of the number at p by RFC 8259, 0 when it is none. */
static size_t number_len(const char *p, const char *end)
{
	const char *q = p;
	size_t n;

	if (q < end && *q == '-')
		q++;
	n = digits(q, end);
	if (n == 0 || (n > 1 && *q == '0'))
		return 0;
	q += n;
	if (q < end && *q == '.') {
		n = digits(q + 1, end);
		if (n == 0)
			return 0;
		q += 1 + n;
	}
	if (q < end && (*q == 'e' || *q == 'E')) {
		q++;
		if (q < end && (*q == '+' || *q == '-'))
			q++;
		n = digits(q, end);
		if (n == 0)
			return 0;
		q += n;
	}
	return (size_t)(q - p);
}

/* cJSON prints with 15 or 17 digits: everything else about a number might change. */
static bool number_is_plain(const char *p, size_t n)
{
	return n <= 15 && !memchr(p, '.', n) && !memchr(p, 'e', n) && !memchr(p, 'E', n) &&
	       !(n == 2 && p[0] == '-' && p[1] == '0');
}

static int scan_number(struct scan *sc)
{
	size_t n = number_len(sc->at, sc->end);

	if (n == 0)
		return refuse(sc, "malformed number");
	if (n > NUMBER_MAX)
		return refuse(sc, "number of more than 64 characters");
	if (!number_is_plain(sc->at, n)) {
		amk_buf_add(&sc->text, sc->copied, (size_t)(sc->at - sc->copied));
		amk_buf_addc(&sc->text, '"');
		amk_buf_addc(&sc->text, BIG_MARK);
		amk_buf_add(&sc->text, sc->at, n);
		amk_buf_addc(&sc->text, '"');
		sc->copied = sc->at + n;
	}
	sc->at += n;
	return 0;
}

static int scan_one(struct scan *sc)
{
	switch (*sc->at) {
	case '"':
		return scan_string(sc);
	case '{':
	case '[':
		if (++sc->depth > AMK_JSON_DEPTH)
			return refuse(sc, "nested more than 64 deep");
		break;
	case '}':
	case ']':
		sc->depth--;
		break;
	case '-':
	case '0' ... '9':
		return scan_number(sc);
	default:
		if ((unsigned char)*sc->at < ' ' && !strchr("\t\n\r", *sc->at))
			return refuse(sc, "control character");
		if (*sc->at == '\0' || (unsigned char)*sc->at >= 0x7f)
			return refuse(sc, "unexpected byte");
	}
	sc->at++;
	return 0;
}

static int key_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_keys(const cJSON *object, struct amk_err *e)
{
	const char *small[16], **keys = small;
	size_t n = 0, i = 0;
	int r = 0;

	for (const cJSON *c = object->child; c; c = c->next)
		n++;
	if (n < 2)
		return 0;
	if (n > AMK_COUNT(small))
		keys = amk_malloc(n * sizeof *keys);
	for (const cJSON *c = object->child; c; c = c->next)
		keys[i++] = c->string;
	qsort(keys, n, sizeof *keys, key_cmp);
	for (i = 1; i < n && r == 0; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			r = amk_err_set(e, AMK_EINVALID, "not usable JSON: key \"%.80s\" twice", keys[i]);
	if (keys != small)
		free(keys);
	return r;
}

/* Recursion is bounded by AMK_JSON_DEPTH. */
static int tree_mend(cJSON *j, struct amk_err *e)
{
	if (cJSON_IsString(j) && j->valuestring[0] == BIG_MARK) {
		memmove(j->valuestring, j->valuestring + 1, strlen(j->valuestring));
		j->type = (j->type & ~0xff) | cJSON_Raw;
		return 0;
	}
	if (cJSON_IsObject(j) && check_keys(j, e) < 0)
		return -1;
	for (cJSON *c = j->child; c; c = c->next) {
		if (c->string && c->string[0] == BIG_MARK)
			return amk_err_set(e, AMK_EINVALID, "not usable JSON: a number as key");
		if (tree_mend(c, e) < 0)
			return -1;
	}
	return 0;
}

static cJSON *tree_build(struct scan *sc)
{
	const char *text = sc->s, *stop = NULL;
	size_t n = (size_t)(sc->end - sc->s);
	cJSON *j;

	if (sc->copied != sc->s) {
		amk_buf_add(&sc->text, sc->copied, (size_t)(sc->end - sc->copied));
		text = sc->text.s;
		n = sc->text.n;
	}
	j = cJSON_ParseWithLengthOpts(text, n, &stop, 0);
	if (!j) {
		refuse(sc, "syntax error");
		return NULL;
	}
	while (stop < text + n && strchr(" \t\r\n", *stop))
		stop++;
	if (stop < text + n) {
		refuse(sc, "something follows the value");
		cJSON_Delete(j);
		return NULL;
	}
	if (tree_mend(j, sc->e) < 0) {
		cJSON_Delete(j);
		return NULL;
	}
	return j;
}

struct amk_json *amk_json_parse(const char *s, size_t n, struct amk_err *e)
{
	/* Each big number grows by three bytes: at most four times the source. */
	struct scan sc = { s, s + n, s, AMK_BUF_INIT(n * 4 + 16), s, 0, e };
	cJSON *j = NULL;
	int r = 0;

	if (n == 0) {
		refuse(&sc, "empty text");
		return NULL;
	}
	while (sc.at < sc.end && r == 0)
		r = scan_one(&sc);
	if (r == 0)
		j = tree_build(&sc);
	amk_buf_release(&sc.text);
	return (struct amk_json *)j;
}

void amk_json_free(struct amk_json *j)
{
	cJSON_Delete((cJSON *)j);
}

void amk_auto_json(struct amk_json **j)
{
	amk_json_free(*j);
}

static const cJSON *node(const struct amk_json *j)
{
	return (const cJSON *)j;
}

/* cJSON's own checks are out of sight of a static analyser, which then takes j for NULL. */
static bool is_type(const struct amk_json *j, int type)
{
	return j && (node(j)->type & 0xff) == type;
}

bool amk_json_is_object(const struct amk_json *j)
{
	return cJSON_IsObject(node(j));
}

bool amk_json_is_array(const struct amk_json *j)
{
	return cJSON_IsArray(node(j));
}

bool amk_json_is_null(const struct amk_json *j)
{
	return cJSON_IsNull(node(j));
}

const struct amk_json *amk_json_get(const struct amk_json *object, const char *key)
{
	if (!amk_json_is_object(object))
		return NULL;
	return (const struct amk_json *)cJSON_GetObjectItemCaseSensitive(node(object), key);
}

const struct amk_json *amk_json_first(const struct amk_json *j)
{
	return j ? (const struct amk_json *)node(j)->child : NULL;
}

const struct amk_json *amk_json_next(const struct amk_json *j)
{
	return j ? (const struct amk_json *)node(j)->next : NULL;
}

const char *amk_json_key(const struct amk_json *member)
{
	return member ? node(member)->string : NULL;
}

const char *amk_json_str(const struct amk_json *j)
{
	return is_type(j, cJSON_String) ? node(j)->valuestring : NULL;
}

bool amk_json_num(const struct amk_json *j, double *v)
{
	if (is_type(j, cJSON_Number))
		*v = node(j)->valuedouble;
	else if (is_type(j, cJSON_Raw))
		*v = strtod(node(j)->valuestring, NULL);
	else
		return false;
	return true;
}

bool amk_json_int(const struct amk_json *j, int64_t *v)
{
	char *end;
	long long n;

	if (is_type(j, cJSON_Number)) {
		*v = (int64_t)node(j)->valuedouble;
		return true;
	}
	if (!is_type(j, cJSON_Raw))
		return false;
	errno = 0;
	n = strtoll(node(j)->valuestring, &end, 10);
	if (errno || *end)
		return false;
	*v = n;
	return true;
}

bool amk_json_bool(const struct amk_json *j, bool *v)
{
	if (!cJSON_IsBool(node(j)))
		return false;
	*v = cJSON_IsTrue(node(j));
	return true;
}

bool amk_json_true(const struct amk_json *j)
{
	return cJSON_IsTrue(node(j));
}

const char *amk_json_get_str(const struct amk_json *object, const char *key)
{
	return amk_json_str(amk_json_get(object, key));
}

int64_t amk_json_get_int(const struct amk_json *object, const char *key, int64_t otherwise)
{
	int64_t v;

	return amk_json_int(amk_json_get(object, key), &v) ? v : otherwise;
}

bool amk_json_is(const struct amk_json *object, const char *key, const char *value)
{
	const char *s = amk_json_get_str(object, key);

	return s && strcmp(s, value) == 0;
}

static void print_children(struct amk_buf *b, const cJSON *j, char close)
{
	for (const cJSON *c = j->child; c; c = c->next)
		amk_json_print(b, c->string, (const struct amk_json *)c);
	amk_jw_close(b, close);
}

void amk_json_print(struct amk_buf *b, const char *key, const struct amk_json *value)
{
	const cJSON *j = node(value);

	if (!j || cJSON_IsNull(j)) {
		amk_jw_null(b, key);
	} else if (cJSON_IsString(j)) {
		amk_jw_cstr(b, key, j->valuestring);
	} else if (cJSON_IsRaw(j)) {
		amk_jw_raw(b, key, j->valuestring, strlen(j->valuestring));
	} else if (cJSON_IsNumber(j)) {
		amk_jw_int(b, key, (int64_t)j->valuedouble);
	} else if (cJSON_IsBool(j)) {
		amk_jw_bool(b, key, cJSON_IsTrue(j));
	} else if (cJSON_IsObject(j)) {
		amk_jw_open(b, key, '{');
		print_children(b, j, '}');
	} else {
		amk_jw_open(b, key, '[');
		print_children(b, j, ']');
	}
}

static bool field_read(const struct amk_json *j, const struct amk_json_field *f, void *to)
{
	switch (f->type) {
	case AMK_JSON_STR:
		*(const char **)to = amk_json_str(j);
		return amk_json_str(j) != NULL;
	case AMK_JSON_INT:
		return amk_json_int(j, to);
	case AMK_JSON_BOOL:
		return amk_json_bool(j, to);
	case AMK_JSON_OBJECT:
		*(const struct amk_json **)to = j;
		return amk_json_is_object(j);
	case AMK_JSON_ARRAY:
		*(const struct amk_json **)to = j;
		return amk_json_is_array(j);
	}
	AMK_BUG("field type %d", f->type);
}

int amk_json_read(const struct amk_json *object, const struct amk_json_field *fields, size_t n,
		  void *out, struct amk_err *e)
{
	static const char *const names[] = { "a string", "an integer", "true or false", "an object",
					     "an array" };

	if (!amk_json_is_object(object))
		return amk_err_set(e, AMK_EINVALID, "a JSON object is needed");
	for (const struct amk_json_field *f = fields; f < fields + n; f++) {
		const struct amk_json *j = amk_json_get(object, f->key);

		if (!j || amk_json_is_null(j)) {
			if (f->required)
				return amk_err_set(e, AMK_EINVALID, "\"%s\" is missing", f->key);
			continue;
		}
		if (!field_read(j, f, (char *)out + f->offset))
			return amk_err_set(e, AMK_EINVALID, "\"%s\" must be %s", f->key, names[f->type]);
	}
	return 0;
}
