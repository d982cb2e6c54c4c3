/** What a project may say to a provider's program by its environment, which its `.env` has a part in. Pure. */
import type { ExecuteContext } from "../context.js";

/** By these the loader, shells, interpreters and the programs that plugins call run further code. */
const CODE = oneOf(
  "PATH|LD_.*|GCONV_PATH|GLIBC_TUNABLES|OPENSSL_.*|GIT_.*|SSH_.*",
  "SHELL|IFS|PS4|SHELLOPTS|BASHOPTS|BASH_ENV|BASH_FUNC_.*|EDITOR|VISUAL|PAGER|BROWSER|LESSOPEN",
  "PYTHON.*|CLOUDSDK_PYTHON.*|PERL.*|RUBY.*|GEM_.*|BUNDLE_.*|LUA_.*|PHPRC|PHP_INI_SCAN_DIR",
  "NODE_(?:OPTIONS|PATH|REPL_EXTERNAL_MODULE)|NPM_CONFIG_.*",
  "JAVA_HOME|CLASSPATH|(?:JAVA_TOOL|_JAVA|JDK_JAVA)_OPTIONS|DOTNET_(?:STARTUP_HOOKS|ROOT.*)|CORECLR_.*",
);

/** By these programs find configuration, credentials, the engine and whom to trust: all of the machine's and its person's, none of a project's. */
const HOST = oneOf(
  "HOME|TMPDIR|XDG_.*|NETRC|CURL_HOME|GNUPGHOME",
  "DOCKER_(?:CONFIG|HOST|CONTEXT|CERT_PATH|TLS.*|AUTH_CONFIG)|REGISTRY_AUTH_FILE|CONTAINER_HOST|CONTAINERS_.*|CNI_PATH|TSCOMPOSE_.*",
  "KUBECONFIG|AWS_(?:CONFIG_FILE|SHARED_CREDENTIALS_FILE|CA_BUNDLE|ENDPOINT_URL.*)",
  "CLOUDSDK_CONFIG|GOOGLE_APPLICATION_CREDENTIALS|AZURE_CONFIG_DIR",
  "SSL_CERT_(?:FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|SSLKEYLOGFILE",
);

/** Some programs read their variables in small letters, too. */
function oneOf(...names: readonly string[]): RegExp {
  return new RegExp(`^(?:${names.join("|")})$`, "i");
}

type Env = Readonly<Record<string, string | undefined>>;

/** Whether a variable steers the machine rather than the project: which code runs, and where credentials come from or go. */
function steersTheHost(name: string): boolean {
  return CODE.test(name) || HOST.test(name);
}

/** What a provider gets: the project's environment, but of variables that steer the host only the caller's. `withheld` names those that differ. */
export function providerEnvironment({ env, callerEnv }: Pick<ExecuteContext, "env" | "callerEnv">): {
  readonly env: Env;
  readonly withheld: readonly string[];
} {
  const withheld = Object.keys(env).filter((name) => steersTheHost(name) && env[name] !== callerEnv[name]);
  return { env: { ...env, ...Object.fromEntries(withheld.map((name) => [name, callerEnv[name]])) }, withheld };
}
