/* SPDX-License-Identifier: Apache-2.0 */
/* A byte buffer with a mandatory maximum, memory that cannot fail, and automatic release. */
#ifndef AMK_CORE_BUF_H
#define AMK_CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * `s` is never NULL and always NUL-terminated after `n` bytes (which may hold NULs).
 * What would make it longer than `max` is not added and sets `over`, which stays set until
 * amk_buf_clear: check it once, at the end, with amk_buf_ok.
 */
struct amk_buf {
	char *s;
	size_t n, cap, max;
	bool over;
};

extern char amk_buf_empty[1];
#define AMK_BUF_INIT(limit) { .s = amk_buf_empty, .max = (limit) }

void amk_buf_init(struct amk_buf *b, size_t max);
void amk_buf_release(struct amk_buf *b); /* frees; the buffer may be used again */
void amk_buf_clear(struct amk_buf *b);	 /* empties, keeps the memory, unsets `over` */
bool amk_buf_ok(const struct amk_buf *b);
/* Room for n more bytes, writable at s + n; the caller then adds to n. NULL when over max. */
char *amk_buf_room(struct amk_buf *b, size_t n);
void amk_buf_add(struct amk_buf *b, const void *s, size_t n);
void amk_buf_adds(struct amk_buf *b, const char *s);
void amk_buf_addc(struct amk_buf *b, char c);
void amk_buf_addf(struct amk_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first n bytes. */
void amk_buf_drop(struct amk_buf *b, size_t n);
/* Moves the string out; the caller frees it. The buffer is empty afterwards. */
char *amk_buf_take(struct amk_buf *b);

/* Memory: out of memory aborts. Sizes a peer may choose are bounded before they come here. */
void *amk_malloc(size_t n);
void *amk_calloc(size_t n, size_t size);
void *amk_realloc(void *p, size_t n);
char *amk_strdup(const char *s);
char *amk_strndup(const char *s, size_t n);
char *amk_strf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Automatic release at the end of the scope: `int fd AMK_AUTO(fd) = -1;` */
#define AMK_AUTO(kind) __attribute__((cleanup(amk_auto_##kind)))
void amk_auto_buf(struct amk_buf *b);
void amk_auto_mem(void *pp); /* for a pointer from amk_malloc */
void amk_auto_fd(int *fd);
/* Moves an fd out of an AMK_AUTO(fd) variable. */
int amk_take_fd(int *fd);

#define AMK_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
