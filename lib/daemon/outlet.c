/* SPDX-License-Identifier: Apache-2.0 */
/* What is being done for a hook is on record: it is ended here, and done again. */
#include "daemon/outlet.h"

#include "outlet/deliver.h"

void amk_outlet_open(struct amk_daemon *d, void (*trouble)(void *arg, const struct amk_err *e))
{
	struct amk_deliver_conf conf = {
		.loop = d->loop,
		.store = d->store,
		.hooks = &d->settings.hooks,
		.state = d->path,
		.retry_ms = d->settings.hook_retry_ms,
		.give_up_ms = d->settings.hook_give_up_ms,
		.grace_ms = d->settings.grace_ms,
		.files = d->files,
		.trouble = trouble,
		.arg = d,
	};

	amk_deliver_close(d->hooks);
	d->hooks = d->frozen ? NULL : amk_deliver_open(&conf);
}
