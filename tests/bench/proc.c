/* SPDX-License-Identifier: Apache-2.0 */
/* What a process uses, from /proc. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/path.h"
#include "core/time.h"

#include "bench.h"

int64_t bench_now(void)
{
	return amk_time_monotonic();
}

void bench_wait_ms(int ms)
{
	poll(NULL, 0, ms);
}

double bench_cpu(pid_t pid)
{
	char path[64], file[384];
	double s = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	d = opendir(path);
	if (!d)
		bench_give_up("%s is not there", path);
	for (struct dirent *t = readdir(d); t; t = readdir(d)) {
		long long ns = 0;
		FILE *f;

		snprintf(file, sizeof file, "%s/%s/schedstat", path, t->d_name);
		f = t->d_name[0] == '.' ? NULL : fopen(file, "re");
		if (f && fscanf(f, "%lld", &ns) == 1)
			s += (double)ns / 1e9;
		if (f)
			fclose(f);
	}
	closedir(d);
	return s;
}

/* The number behind "KEY:" in a file of /proc. */
static double keyed(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256];
	size_t n = strlen(key);
	double v = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	while (f && v < 0 && fgets(line, sizeof line, f))
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			v = strtod(line + n + 1, NULL);
	if (v < 0)
		bench_give_up("%s does not say %s", path, key);
	fclose(f);
	return v;
}

double bench_resident(pid_t pid)
{
	return keyed(pid, "status", "VmRSS") / 1024;
}

double bench_smaps(pid_t pid, const char *key)
{
	return keyed(pid, "smaps_rollup", key);
}

/* Its command line has our folder in it. */
pid_t bench_shim(void)
{
	pid_t found = 0;
	DIR *d = opendir("/proc");

	for (struct dirent *p = d ? readdir(d) : NULL; p && !found; p = readdir(d)) {
		char path[320], line[4096];
		int fd;
		ssize_t n;

		snprintf(path, sizeof path, "/proc/%s/cmdline", p->d_name);
		fd = strtol(p->d_name, NULL, 10) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		n = fd < 0 ? 0 : read(fd, line, sizeof line);
		if (n > 0 && memmem(line, (size_t)n, "amika-shim", 10) &&
		    memmem(line, (size_t)n, bench_conf.scratch, strlen(bench_conf.scratch)))
			found = (pid_t)strtol(p->d_name, NULL, 10);
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
	if (!found)
		bench_give_up("no shim");
	return found;
}

double bench_file_size(const char *fmt, ...)
{
	char path[AMK_PATH_MAX];
	struct stat st;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof path, fmt, ap);
	va_end(ap);
	return stat(path, &st) < 0 ? 0 : (double)st.st_size;
}
