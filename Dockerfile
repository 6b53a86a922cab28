# syntax=docker/dockerfile:1
# An image with the program, its site folder and Debian's C library only.
#   docker build --tag tonesa --build-arg TONESA_COMMIT=$(git rev-parse --short=12 HEAD) .
#   docker run --publish 9091:9091 --volume tonesa:/data tonesa

FROM node:22-bookworm-slim AS node

FROM rust:1.95-bookworm AS build
# `cargo xtask build` needs npm to package the site.
COPY --from=node /usr/local /usr/local
WORKDIR /src
COPY . .
RUN rustup target add wasm32-unknown-unknown
# The commit for `tonesa --version`; there is no .git here.
ARG TONESA_COMMIT=
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo xtask build \
    && mkdir --parents /out/tonesa /out/data \
    && cp --recursive target/release/tonesa target/release/site /out/tonesa/ \
    && strip /out/tonesa/tonesa

# The C library, libgcc, CA certificates and an unprivileged user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Tonesa" \
      org.opencontainers.image.description="Drop an image, get a link, talk about it live" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /out/tonesa /opt/tonesa
# The embedded storage; with shared backends only temporary files of uploads.
COPY --from=build --chown=65532:65532 /out/data /data
ENV TONESA_BIND=0.0.0.0 \
    TONESA_DATA_DIR=/data
VOLUME /data
EXPOSE 9091
# The image has no shell, so the program itself queries the running node.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s \
    CMD ["/opt/tonesa/tonesa", "--check"]
ENTRYPOINT ["/opt/tonesa/tonesa"]
