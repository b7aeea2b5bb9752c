/* SPDX-License-Identifier: Apache-2.0 */
/* The table of SPECIFICATION.md: what was promised, what was measured, whether it holds. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

static unsigned broken;

static void print_row(const char *what, const char *target, const char *measured, va_list ap, const char *end)
{
	printf("| %s | %s | ", what, target);
	vprintf(measured, ap);
	printf("%s |\n", end);
	fflush(stdout);
}

void bench_row(const char *what, const char *target, enum bench_side side, double bound, double value,
	       const char *measured, ...)
{
	bool holds = side == BENCH_AT_MOST ? value <= bound : value >= bound;
	va_list ap;

	va_start(ap, measured);
	print_row(what, target, measured, ap, holds ? "" : " **BROKEN**");
	va_end(ap);
	broken += !holds;
}

void bench_note(const char *what, const char *target, const char *measured, ...)
{
	va_list ap;

	va_start(ap, measured);
	print_row(what, target, measured, ap, "");
	va_end(ap);
}

void bench_table_open(void)
{
	printf("| promise | target | measured |\n|---|---|---|\n");
	fflush(stdout);
}

unsigned bench_table_broken(void)
{
	return broken;
}

static int ascending(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

double bench_quantile(double *values, size_t n, double p)
{
	size_t i = (size_t)(p * (double)n);

	if (n == 0)
		bench_give_up("nothing was measured");
	qsort(values, n, sizeof *values, ascending);
	return values[i < n ? i : n - 1];
}
