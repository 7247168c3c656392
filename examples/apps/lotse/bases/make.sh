#!/bin/sh
# Makes the OCI layout beside this script: a base for static programs, which needs nothing but a user.
set -eu
cd "$(dirname "$0")"
cargo run --quiet --release --package lotse-examples --example base_image -- static --tag static:1 --user 65532:65532 --to "${LAYOUT:-layout}"
