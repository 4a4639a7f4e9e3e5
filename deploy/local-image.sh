#!/usr/bin/env bash
# Builds an image from nothing but a static binary, for machines that cannot pull a base.
#
#     deploy/local-image.sh [IMAGE]          latentlink:local, unless named
#
# LATENTLINK_PROFILE names a cargo profile (release). The binary is also left at target/static/image/latentlink; it runs
# on any Linux of this machine's architecture.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
image="${1:-latentlink:local}"
profile="${LATENTLINK_PROFILE:-release}"

# Static is a matter of the last link alone, so all that was compiled for `cargo build` is used as it is. glibc 2.34 or
# later is needed: from then on, names are looked up by code inside libc.a rather than by libraries that an image from
# scratch does not have.
cargo rustc --locked --profile "$profile" --package latentlink --bin latentlink -- \
    -C target-feature=+crt-static -C strip=symbols
[[ "$profile" == dev ]] && profile=debug
built="${CARGO_TARGET_DIR:-target}/$profile/latentlink"
if readelf --program-headers "$built" | grep -q INTERP; then
    echo "error: $built is not static: it asks for a dynamic loader" >&2
    exit 1
fi

context=target/static/image
rm -rf "$context"
mkdir -p "$context"/state/weights "$context"/state/journal
# The next `cargo build` would put its own in the same place.
cp "$built" "$context/latentlink"
cp deploy/Dockerfile.local "$context/Dockerfile"
# A daemon that warns of its builder does so here, even if all is well.
docker build --quiet --tag "$image" "$context" >"$context/build.log" 2>&1 || { cat "$context/build.log" >&2; exit 1; }
docker image inspect --format "image $image: {{.Size}} bytes" "$image"
