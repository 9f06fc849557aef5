# Two stages: the second holds the program, its run-time dependencies and Node, and nothing to build with.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.json tsconfig.build.json tsconfig.browser.json ./
COPY bin ./bin
COPY scripts ./scripts
COPY src ./src
COPY docs/clients.md ./docs/clients.md
COPY schemas ./schemas
COPY relay.yaml probes.yaml ./
# Of what commit this is, for --version: --build-arg COMMIT=$(git rev-parse --short HEAD)
ARG COMMIT=
RUN MAILCANARY_COMMIT=$COMMIT node scripts/setup.mjs && node scripts/production-tree.mjs /app --without-node

FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install --yes --no-install-recommends ca-certificates libcrypt1 libstdc++6 && \
    rm -rf /var/lib/apt/lists/*
RUN useradd --system --home-dir /var/lib/mailcanary --shell /usr/sbin/nologin mailcanary && \
    install -d -o mailcanary -g mailcanary -m 0700 /var/lib/mailcanary
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /usr/lib/mailcanary
RUN ln -s ../lib/mailcanary/bin/mailcanary /usr/bin/mailcanary
USER mailcanary
# Its own files are in /var/lib/mailcanary; the rest of the file system may be read-only. Configuration goes to /etc/mailcanary.
VOLUME /var/lib/mailcanary
EXPOSE 465 587
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["mailcanary"]
CMD ["run"]
