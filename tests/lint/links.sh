#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What each program is linked with: amikad without libcurl, the tools without the daemon's libraries, the
# mock with core's alone, the shim and what runs hooks with nothing.
bin=${top_builddir:-.}/bin
bad=0
for source in bin/*.c; do
	name=$(basename "$source" .c)
	case $name in
	amikad) never='libcurl' ;;
	amika-shim | amika-once) never='lib' ;;
	amika-mock) never='libcurl|libuv|libmicrohttpd|libwslay|libsqlite3' ;;
	*) never='libuv|libmicrohttpd|libwslay|libsqlite3' ;;
	esac
	needs=$(readelf -d "$bin/$name" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -E "^($never)") &&
		echo "$source:1: is linked with $(echo "$needs" | tr '\n' ' ')" && bad=1
	[ -x "$bin/$name" ] || { echo "$source:1: is not built" && bad=1; }
done
exit $bad
