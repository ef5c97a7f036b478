using Renci.SshNet;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>What we are willing to speak, best first. No SHA-1, no <c>ssh-rsa</c>, no CBC, no compression (weights do not compress).</summary>
internal static class SshAlgorithms
{
    /// <remarks>
    /// Curve25519 before the post-quantum exchanges: those cost 75 ms more per connection in managed code, and nothing that must stay secret for
    /// decades goes to a rented machine. Hosts that insist on them are still served.
    /// </remarks>
    private static readonly string[] KeyExchanges =
    [
        "curve25519-sha256", "curve25519-sha256@libssh.org", "mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com",
        "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256",
    ];

    /// <summary>AES-GCM runs in hardware: twice the rate of CTR with a separate MAC, at half the CPU.</summary>
    private static readonly string[] Ciphers =
        ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr"];

    private static readonly string[] Macs =
        ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"];

    /// <summary>Plain keys only: the pin is of the key, and a certificate would hide which one.</summary>
    private static readonly string[] HostKeys =
        ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256"];

    public static void Apply(ConnectionInfo connection)
    {
        Keep(connection.KeyExchangeAlgorithms, KeyExchanges);
        Keep(connection.Encryptions, Ciphers);
        Keep(connection.HmacAlgorithms, Macs);
        Keep(connection.HostKeyAlgorithms, HostKeys);
        Keep(connection.CompressionAlgorithms, ["none"]);
    }

    private static void Keep<T>(IDictionary<string, T> offered, string[] wanted)
    {
        var known = wanted.Where(offered.ContainsKey).Select(name => KeyValuePair.Create(name, offered[name])).ToList();
        offered.Clear();
        foreach (var algorithm in known)
        {
            offered.Add(algorithm.Key, algorithm.Value);
        }
    }
}
