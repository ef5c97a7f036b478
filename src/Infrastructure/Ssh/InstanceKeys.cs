using System.Text;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Utilities;
using Org.BouncyCastle.Security;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>A private key in OpenSSH's PEM. Prints as <c>***</c>, so that it cannot slip into a log.</summary>
public sealed class SshPrivateKey(string pem)
{
    /// <summary>The secret itself, for the vault and the SSH client alone.</summary>
    public string Reveal() => pem;

    public override string ToString() => "***";
}

/// <param name="PublicKey">One <c>authorized_keys</c> line: <c>ssh-ed25519 AAAA... comment</c>, no line end.</param>
/// <param name="PrivateKey">Unencrypted; the vault encrypts it at rest.</param>
public sealed record InstanceKeyPair(string PublicKey, SshPrivateKey PrivateKey);

/// <summary>Makes the key pair that opens one instance and no other.</summary>
public static class InstanceKeys
{
    private const int PemLineLength = 70; // what ssh-keygen writes

    /// <param name="comment">Shown by providers beside the key: one line, nothing secret.</param>
    public static InstanceKeyPair Create(string comment)
    {
        if (comment.AsSpan().ContainsAnyInRange('\0', '\x1f'))
        {
            throw new ArgumentException("A key comment is one line without control characters.", nameof(comment));
        }

        var generator = new Ed25519KeyPairGenerator();
        generator.Init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        var pair = generator.GenerateKeyPair();
        var line = $"ssh-ed25519 {Convert.ToBase64String(OpenSshPublicKeyUtilities.EncodePublicKey(pair.Public))} {comment}";
        return new InstanceKeyPair(line.TrimEnd(), new SshPrivateKey(Pem(OpenSshPrivateKeyUtilities.EncodePrivateKey(pair.Private))));
    }

    private static string Pem(byte[] blob)
    {
        var body = Convert.ToBase64String(blob);
        var pem = new StringBuilder("-----BEGIN OPENSSH PRIVATE KEY-----\n");
        for (var at = 0; at < body.Length; at += PemLineLength)
        {
            pem.Append(body.AsSpan(at, Math.Min(PemLineLength, body.Length - at))).Append('\n');
        }

        return pem.Append("-----END OPENSSH PRIVATE KEY-----\n").ToString();
    }
}
