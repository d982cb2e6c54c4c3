/** Logins at registries. */

/** Which registry, and which file of credentials instead of those that are looked through. */
export interface LoginTarget {
  /** `host[:port][/namespace]`; "docker.io" is docker's hub. */
  readonly registry: string;
  readonly authFile?: string;
  /** Plain http or an unchecked certificate is fine. */
  readonly insecure?: boolean;
}

/** Logins at registries, in docker's and podman's files and helpers. */
export interface LoginsApi {
  /** Asks the registry, then keeps the login: where, and whether it is encrypted there. `TSC_REGISTRY_UNAUTHORIZED`, `TSC_REGISTRY_CREDENTIALS`. */
  login(
    request: LoginTarget & { readonly username: string; readonly password: string },
  ): Promise<{ readonly place: string; readonly encrypted: boolean }>;
  /** The user name of a stored login that the registry takes. */
  existing(request: LoginTarget): Promise<string | undefined>;
  /** The user name of a stored login; nobody is asked. */
  userOf(request: LoginTarget): Promise<string | undefined>;
  /** Forgets a login, without `registry` all; the places it was in. */
  logout(request: Partial<LoginTarget>): Promise<readonly string[]>;
  /** Registries with a stored login. */
  known(authFile?: string): Promise<readonly string[]>;
}
