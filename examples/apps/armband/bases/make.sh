#!/bin/sh
# Makes the OCI layout beside this script from the plain files in it: stand-ins for the base images, so that the example
# needs no network. They list real packages at real versions, but hold none of their programs.
set -eu
cd "$(dirname "$0")"
base() {
    cargo run --quiet --release --package lotse-examples --example base_image -- "$1" --tag "$2" --user "$3" --to "${LAYOUT:-layout}"
}
base php php:8.4 1000:3000
base nginx nginx:1.28 101:101
base redis redis:8.0 999:1000
base mysql mysql:9.4 999:999
