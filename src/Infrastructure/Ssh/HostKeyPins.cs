using System.Security.Cryptography;
using System.Text;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>How host keys are written and compared: <c>SHA256:</c> and unpadded base64 of the key blob, as <c>ssh-keygen -l</c> prints it.</summary>
public static class HostKeyPins
{
    public static string Of(ReadOnlySpan<byte> hostKeyBlob)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(hostKeyBlob, hash);
        return "SHA256:" + Convert.ToBase64String(hash).TrimEnd('=');
    }

    /// <summary>Without a pin the first key is trusted; the caller stores what was seen and demands it from then on.</summary>
    public static bool Accepts(string? pin, string seen) =>
        pin is null || CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(pin), Encoding.ASCII.GetBytes(seen));
}
