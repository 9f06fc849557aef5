# Two stages: the second holds the program, its run-time dependencies and Node, and nothing to build with.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The optional dependency is a Node of its own, which this image has already.
RUN npm ci --ignore-scripts --omit=optional
COPY tsconfig.json tsconfig.build.json tsconfig.browser.json ./
COPY scripts ./scripts
COPY src ./src
RUN node scripts/build.mjs && npm prune --ignore-scripts --omit=dev --omit=optional

FROM node:24.21.0-bookworm-slim
WORKDIR /app
RUN useradd --system --home-dir /var/lib/mailcanary --create-home --shell /usr/sbin/nologin mailcanary
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY relay.yaml probes.yaml /etc/mailcanary/
USER mailcanary
VOLUME /var/lib/mailcanary
EXPOSE 465 587
HEALTHCHECK --interval=30s --timeout=5s CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["run", "--relay", "/etc/mailcanary/relay.yaml", "--probes", "/etc/mailcanary/probes.yaml"]
