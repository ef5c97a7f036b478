using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Dashboard.Domain.Instances;

/// <summary>
/// The signed label <c>gd1-{install8}-{instance26}-{mac8}</c> that says a machine is ours and which row it belongs to.
/// The provider has no idempotency key: this is the only way to find a machine whose answer was lost.
/// </summary>
public static partial class InstanceLabel
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford base 32, lower case

    /// <param name="install">Installation id, eight characters of the label alphabet.</param>
    /// <param name="secret">The installation's signing secret.</param>
    public static string For(InstanceId instance, string install, ReadOnlySpan<byte> secret)
    {
        var body = $"gd1-{install}-{Encode(instance.Value.ToByteArray(bigEndian: true), 26)}";
        return $"{body}-{Sign(body, secret)}";
    }

    /// <summary>The row a label names, when it is of this installation and its signature holds; else null.</summary>
    public static InstanceId? Verify(string? label, string install, ReadOnlySpan<byte> secret)
    {
        if (label is null || !Shape().IsMatch(label) || !label.AsSpan(4, 8).SequenceEqual(install))
        {
            return null;
        }

        var body = label[..39];
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(body, secret)), Encoding.ASCII.GetBytes(label[40..]))
            ? new InstanceId(new Guid(Decode(label.AsSpan(13, 26)), bigEndian: true))
            : null;
    }

    /// <summary>A new installation id.</summary>
    public static string NewInstall(ReadOnlySpan<byte> random) => Encode(random[..5].ToArray(), 8);

    private static string Sign(string body, ReadOnlySpan<byte> secret) => Encode(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(body))[..5], 8);

    private static string Encode(byte[] bytes, int length)
    {
        var number = new System.Numerics.BigInteger(bytes, isUnsigned: true, isBigEndian: true);
        var text = new char[length];
        for (var i = length - 1; i >= 0; i--)
        {
            text[i] = Alphabet[(int)(number & 31)];
            number >>= 5;
        }

        return new string(text);
    }

    private static byte[] Decode(ReadOnlySpan<char> text)
    {
        var number = System.Numerics.BigInteger.Zero;
        foreach (var c in text)
        {
            number = (number << 5) | Alphabet.IndexOf(c, StringComparison.Ordinal);
        }

        var bytes = new byte[16];
        var value = (number & ((System.Numerics.BigInteger.One << 128) - 1)).ToByteArray(isUnsigned: true, isBigEndian: true);
        value.CopyTo(bytes, 16 - value.Length);
        return bytes;
    }

    [GeneratedRegex("^gd1-[0-9a-hjkmnp-tv-z]{8}-[0-7][0-9a-hjkmnp-tv-z]{25}-[0-9a-hjkmnp-tv-z]{8}$", RegexOptions.CultureInvariant)]
    private static partial Regex Shape();
}
