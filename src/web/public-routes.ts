import type { FastifyInstance } from 'fastify'

/**
 * What one concern of the public server answers, in a scope of its own: a parser or hook that is added there is nobody
 * else's. Everybody may ask.
 */
export type PublicRoutes = (app: FastifyInstance) => void

/** Content-Security-Policy: nothing but our own style and pictures, a script of ours only where it is said, never in a frame. */
export function contentSecurity(options: { readonly forms: boolean; readonly scripts?: boolean }): {
  readonly useDefaults: false
  readonly directives: Readonly<Record<string, readonly string[]>>
} {
  return {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      ...(options.scripts === true && { scriptSrc: ["'self'"] }),
      imgSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: [options.forms ? "'self'" : "'none'"],
      frameAncestors: ["'none'"],
    },
  }
}
