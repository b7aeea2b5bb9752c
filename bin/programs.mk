# Written by share/build-aux/sync: run 'make sync' after adding or removing a file.

tools = \
	bin/amika-agent \
	bin/amika-decision \
	bin/amika-doctor \
	bin/amika-events \
	bin/amika-hook \
	bin/amika-run \
	bin/amika-send \
	bin/amika-session \
	bin/amika \
	bin/amikad

helpers = \
	bin/amika-shim \
	bin/amika-once \
	bin/amika-mock
