# Written by share/build-aux/sync: run 'make sync' after adding or removing a file.

pages1 = \
	man/amika-agent.1 \
	man/amika-decision.1 \
	man/amika-doctor.1 \
	man/amika-events.1 \
	man/amika-hook.1 \
	man/amika-run.1 \
	man/amika-send.1 \
	man/amika-session.1 \
	man/amika.1

pages5 = \
	man/amika-hook.5 \
	man/amika-lines.5 \
	man/amika-rule.5

pages7 = \
	man/amika-api.7

pages8 = \
	man/amika-mock.8 \
	man/amika-once.8 \
	man/amika-shim.8 \
	man/amikad.8
