using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.DataProtection;

namespace Dashboard.Web.Startup;

/// <summary>The keys that encrypt provider keys, sessions and label secrets at rest.</summary>
internal static class KeyRing
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static void AddKeyRing(this IServiceCollection services, ServerSettings settings)
    {
        var directory = Directory.CreateDirectory(settings.KeysDirectory);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(directory.FullName, OwnerOnly);
        }

        var ring = services.AddDataProtection().SetApplicationName("Dashboard").PersistKeysToFileSystem(directory);
        if (settings.CertificatePath is { } path)
        {
            ring.ProtectKeysWithCertificate(X509CertificateLoader.LoadPkcs12FromFile(path, password: null));
        }
    }
}
