/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While our daemon is down, anybody on the machine may take its port. Nothing is shown there unasked that
 * would let them in at the next start.
 */
#include "client/listener.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/lines.h"

#define TABLE_MAX (16u << 20)
#define LISTEN 0x0a

/* False when somebody else listens; *any when someone does. */
static bool table_is_ours(const char *path, unsigned port, bool *any)
{
	struct amk_buf table AMK_AUTO(buf) = AMK_BUF_INIT(TABLE_MAX);
	int fd AMK_AUTO(fd) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return true; /* no such protocol here */
	if (amk_lines_all(fd, &table, NULL) < 0)
		return false;
	for (char *line = table.s, *end; *line; line = end + (*end != '\0')) {
		unsigned at, state, uid;

		end = strchrnul(line, '\n');
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %u", &at, &state,
			   &uid) != 3 ||
		    at != port || state != LISTEN)
			continue;
		if (uid != 0 && uid != geteuid())
			return false;
		*any = true;
	}
	return true;
}

bool amk_listener_is_ours(unsigned port)
{
	bool any = false;

	return table_is_ours("/proc/net/tcp", port, &any) && table_is_ours("/proc/net/tcp6", port, &any) && any;
}
