#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The lists make reads are what is in the folders.
share/build-aux/sync --check
