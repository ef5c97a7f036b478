namespace Dashboard.Infrastructure.Ssh;

#pragma warning disable CA1710 // named by what happened, like the marketplace's exceptions
/// <summary>A machine could not be used over SSH. Each kind below is one decision of a caller.</summary>
public abstract class SshFailure(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>Nobody took the connection: refused, unreachable, silent, or something that speaks no SSH we accept. Usual while a machine boots; try again or the other route.</summary>
public sealed class SshRefused(SshRoute route, string reason, Exception? cause = null) : SshFailure($"{route} did not take the SSH connection: {reason}", cause);

/// <summary>The server answered and did not accept our key.</summary>
public sealed class SshDenied(SshRoute route, Exception? cause = null) : SshFailure($"{route} did not accept our SSH key", cause);

/// <summary>The server has another host key than the pinned one. Nothing was sent, not even our public key.</summary>
public sealed class HostKeyChanged(SshRoute route, string expected, string seen) : SshFailure($"{route} shows host key {seen}, expected {expected}")
{
    /// <summary>As <c>SHA256:</c> and unpadded base64.</summary>
    public string Expected { get; } = expected;

    /// <summary>As <c>SHA256:</c> and unpadded base64.</summary>
    public string Seen { get; } = seen;
}

/// <summary>The connection ended or fell silent. The session is closed and of no further use; what ran remotely may still be running.</summary>
public sealed class SshLost(string reason, Exception? cause = null) : SshFailure($"SSH connection lost: {reason}", cause);

/// <summary>The machine sent more than was asked for. It is broken or hostile; the session is closed.</summary>
public sealed class SshFlood(string what, long limit) : SshFailure($"{what} exceeds {limit} bytes");
