/* SPDX-License-Identifier: Apache-2.0 */
/* What comparing a rule with a request can come to. */
#ifndef AMK_DECISION_MATCH_H
#define AMK_DECISION_MATCH_H

enum amk_match {
	AMK_MATCH_NO,
	AMK_MATCH_YES,
	AMK_MATCH_DOUBT,      /* not as the rule is read, but it could be meant: a wildcard and "..", "-x" or a glob */
	AMK_MATCH_UNREADABLE, /* not one simple command, or a path that leads nowhere certain */
};

#endif
