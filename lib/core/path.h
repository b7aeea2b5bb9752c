/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are: the state folder, our helper programs, programs on PATH, sockets on long paths. */
#ifndef AMK_CORE_PATH_H
#define AMK_CORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define AMK_PATH_MAX 4096
#define AMK_PATH_SYSTEM "/usr/local/bin:/usr/bin:/bin" /* PATH where none is given */

/*
 * The state folder decides which daemon: $AMIKA_STATE_DIRECTORY, else $XDG_STATE_HOME/amika, else
 * $HOME/.local/state/amika (home from the user database without HOME). Not created here.
 */
int amk_path_state(char to[AMK_PATH_MAX], struct amk_err *e);
/* Creates it (0700, with parents) and opens it; refuses a folder of another owner or writable by others. */
int amk_path_state_open(const char *path, int *fd, struct amk_err *e);

/* A program of ours: beside the running program, in ../libexec/amika and the installed libexec. */
int amk_path_helper(char to[AMK_PATH_MAX], const char *name, struct amk_err *e);
/* Folder of the running program. */
int amk_path_self_dir(char to[AMK_PATH_MAX], struct amk_err *e);
/* `name` on `path` (":"-separated), or itself if it holds a '/'. AMK_ENOTFOUND, or AMK_EDENIED when
 * the file is there and may not be run. */
int amk_path_program(char to[AMK_PATH_MAX], const char *name, const char *path, struct amk_err *e);

struct sockaddr_un;
/*
 * The address of socket `name` in the folder open as dirfd, short whatever the folder's path is:
 * it goes through /proc/self/fd, so dirfd must stay open until after bind or connect.
 */
void amk_path_socket(struct sockaddr_un *to, int dirfd, const char *name);

/* Writes a file in dirfd by rename: complete and synced, or not there. Mode 0600. */
int amk_path_write(int dirfd, const char *name, const void *s, size_t n, struct amk_err *e);
/* Reads a whole small file into b (its max is the limit). */
int amk_path_read(int dirfd, const char *name, struct amk_buf *b, struct amk_err *e);

#endif
