# Written by share/build-aux/sync: run 'make sync' after adding or removing a file.

unit_programs = \
	tests/unit/agent \
	tests/unit/attach \
	tests/unit/base64 \
	tests/unit/bell \
	tests/unit/buf \
	tests/unit/check \
	tests/unit/choice \
	tests/unit/client_bearer \
	tests/unit/client_caller \
	tests/unit/client_diff \
	tests/unit/client_fields \
	tests/unit/client_frames \
	tests/unit/client_page \
	tests/unit/client_url \
	tests/unit/cmd \
	tests/unit/command \
	tests/unit/decision \
	tests/unit/delivery \
	tests/unit/err \
	tests/unit/faults \
	tests/unit/forget \
	tests/unit/gate \
	tests/unit/glob \
	tests/unit/help \
	tests/unit/hook \
	tests/unit/http \
	tests/unit/http_live \
	tests/unit/http_scarce \
	tests/unit/http_tcp \
	tests/unit/id \
	tests/unit/json \
	tests/unit/jw \
	tests/unit/keeper \
	tests/unit/lines \
	tests/unit/log \
	tests/unit/loop \
	tests/unit/migrate \
	tests/unit/name \
	tests/unit/near \
	tests/unit/once \
	tests/unit/path \
	tests/unit/powercut \
	tests/unit/powercut_run \
	tests/unit/reader \
	tests/unit/recall \
	tests/unit/render \
	tests/unit/reply \
	tests/unit/rule \
	tests/unit/run \
	tests/unit/run_end \
	tests/unit/run_fault \
	tests/unit/run_lost \
	tests/unit/say \
	tests/unit/sha256 \
	tests/unit/shape \
	tests/unit/state \
	tests/unit/steering \
	tests/unit/store \
	tests/unit/time \
	tests/unit/token \
	tests/unit/utf8 \
	tests/unit/ws \
	tests/unit/ws_cases \
	tests/unit/ws_sizes \
	tests/unit/ws_utf8

fuzz_programs = \
	tests/fuzz/codec-fuzz \
	tests/fuzz/command-fuzz \
	tests/fuzz/gate-fuzz \
	tests/fuzz/json-fuzz \
	tests/fuzz/token-fuzz \
	tests/fuzz/ws-fuzz
tests_fuzz_codec_fuzz_SOURCES = tests/fuzz/codec.c
tests_fuzz_codec_fuzz_LDADD = $(test_libs)
tests_fuzz_codec_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_command_fuzz_SOURCES = tests/fuzz/command.c
tests_fuzz_command_fuzz_LDADD = $(test_libs)
tests_fuzz_command_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_gate_fuzz_SOURCES = tests/fuzz/gate.c
tests_fuzz_gate_fuzz_LDADD = $(test_libs)
tests_fuzz_gate_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_json_fuzz_SOURCES = tests/fuzz/json.c
tests_fuzz_json_fuzz_LDADD = $(test_libs)
tests_fuzz_json_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_token_fuzz_SOURCES = tests/fuzz/token.c
tests_fuzz_token_fuzz_LDADD = $(test_libs)
tests_fuzz_token_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_ws_fuzz_SOURCES = tests/fuzz/ws.c
tests_fuzz_ws_fuzz_LDADD = $(test_libs)
tests_fuzz_ws_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tool_programs = \
	tests/tools/amikad-next \
	tests/tools/capture-to-case \
	tests/tools/check-stream \
	tests/tools/decision-race \
	tests/tools/run-case \
	tests/tools/ws-talk

bench_programs = \
	tests/bench/bench

tests_bench_bench_SOURCES = \
	tests/bench/bench.c \
	tests/bench/bench.h \
	tests/bench/burst.c \
	tests/bench/deliver.c \
	tests/bench/growth.c \
	tests/bench/health.c \
	tests/bench/latency.c \
	tests/bench/ours.c \
	tests/bench/peer.c \
	tests/bench/proc.c \
	tests/bench/readers.c \
	tests/bench/replay.c \
	tests/bench/start.c \
	tests/bench/table.c \
	tests/bench/wire.c

soak_programs = \
	tests/soak/soak

tests_soak_soak_SOURCES = \
	tests/soak/kill.c \
	tests/soak/soak.c \
	tests/soak/soak.h \
	tests/soak/stream.c \
	tests/soak/talk.c \
	tests/soak/verdict.c \
	tests/bench/ours.c \
	tests/bench/proc.c \
	tests/bench/readers.c \
	tests/bench/wire.c
tests_unit_agent_LDADD = $(test_libs)
tests_unit_attach_LDADD = $(test_libs)
tests_unit_base64_LDADD = $(test_libs)
tests_unit_bell_LDADD = $(test_libs)
tests_unit_buf_LDADD = $(test_libs)
tests_unit_check_LDADD = $(test_libs)
tests_unit_choice_LDADD = $(test_libs)
tests_unit_client_bearer_LDADD = $(test_libs)
tests_unit_client_caller_LDADD = $(test_libs)
tests_unit_client_diff_LDADD = $(test_libs)
tests_unit_client_fields_LDADD = $(test_libs)
tests_unit_client_frames_LDADD = $(test_libs)
tests_unit_client_page_LDADD = $(test_libs)
tests_unit_client_url_LDADD = $(test_libs)
tests_unit_cmd_LDADD = $(test_libs)
tests_unit_command_LDADD = $(test_libs)
tests_unit_decision_LDADD = $(test_libs)
tests_unit_delivery_LDADD = $(test_libs)
tests_unit_err_LDADD = $(test_libs)
tests_unit_faults_LDADD = $(test_libs)
tests_unit_forget_LDADD = $(test_libs)
tests_unit_gate_LDADD = $(test_libs)
tests_unit_glob_LDADD = $(test_libs)
tests_unit_help_LDADD = $(test_libs)
tests_unit_hook_LDADD = $(test_libs)
tests_unit_http_LDADD = $(test_libs)
tests_unit_http_live_LDADD = $(test_libs)
tests_unit_http_scarce_LDADD = $(test_libs)
tests_unit_http_tcp_LDADD = $(test_libs)
tests_unit_id_LDADD = $(test_libs)
tests_unit_json_LDADD = $(test_libs)
tests_unit_jw_LDADD = $(test_libs)
tests_unit_keeper_LDADD = $(test_libs)
tests_unit_lines_LDADD = $(test_libs)
tests_unit_log_LDADD = $(test_libs)
tests_unit_loop_LDADD = $(test_libs)
tests_unit_migrate_LDADD = $(test_libs)
tests_unit_name_LDADD = $(test_libs)
tests_unit_near_LDADD = $(test_libs)
tests_unit_once_LDADD = $(test_libs)
tests_unit_path_LDADD = $(test_libs)
tests_unit_powercut_LDADD = $(test_libs)
tests_unit_powercut_run_LDADD = $(test_libs)
tests_unit_reader_LDADD = $(test_libs)
tests_unit_recall_LDADD = $(test_libs)
tests_unit_render_LDADD = $(test_libs)
tests_unit_reply_LDADD = $(test_libs)
tests_unit_rule_LDADD = $(test_libs)
tests_unit_run_LDADD = $(test_libs)
tests_unit_run_end_LDADD = $(test_libs)
tests_unit_run_fault_LDADD = $(test_libs)
tests_unit_run_lost_LDADD = $(test_libs)
tests_unit_say_LDADD = $(test_libs)
tests_unit_sha256_LDADD = $(test_libs)
tests_unit_shape_LDADD = $(test_libs)
tests_unit_state_LDADD = $(test_libs)
tests_unit_steering_LDADD = $(test_libs)
tests_unit_store_LDADD = $(test_libs)
tests_unit_time_LDADD = $(test_libs)
tests_unit_token_LDADD = $(test_libs)
tests_unit_utf8_LDADD = $(test_libs)
tests_unit_ws_LDADD = $(test_libs)
tests_unit_ws_cases_LDADD = $(test_libs)
tests_unit_ws_sizes_LDADD = $(test_libs)
tests_unit_ws_utf8_LDADD = $(test_libs)
tests_tools_amikad_next_LDADD = $(test_libs)
tests_tools_capture_to_case_LDADD = $(test_libs)
tests_tools_check_stream_LDADD = $(test_libs)
tests_tools_decision_race_LDADD = $(test_libs)
tests_tools_run_case_LDADD = $(test_libs)
tests_tools_ws_talk_LDADD = $(test_libs)
tests_bench_bench_LDADD = $(test_libs)
tests_soak_soak_LDADD = $(test_libs)

preload_sources = \
	tests/tools/fault.c

tests_headers = \
	tests/bench/bench.h \
	tests/soak/soak.h \
	tests/unit/disk.h \
	tests/unit/disk_cut.h \
	tests/unit/failing.h \
	tests/unit/http_fixture.h \
	tests/unit/run_with.h \
	tests/unit/sanitized.h \
	tests/unit/scratch.h \
	tests/unit/store_fixture.h \
	tests/unit/tap.h \
	tests/unit/ws_fixture.h

tests_data = \
	tests/agents \
	tests/clauses.tsv \
	tests/cli \
	tests/e2e \
	tests/lint \
	tests/run \
	tests/fuzz/codec \
	tests/fuzz/command \
	tests/fuzz/ws \
	tests/tools/fake-llm \
	tests/bench/get-peer \
	tests/bench/run \
	tests/soak/run
