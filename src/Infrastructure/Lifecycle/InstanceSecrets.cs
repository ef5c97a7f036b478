using Dashboard.Domain;
using Microsoft.AspNetCore.DataProtection;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Encrypts what belongs to one instance alone: its SSH key and its provider key. Ciphertext moved to another row does not decrypt.</summary>
public sealed class InstanceSecrets(IDataProtectionProvider protection)
{
    public string Protect(InstanceId instance, string plain) => For(instance).Protect(plain);

    /// <exception cref="System.Security.Cryptography.CryptographicException">Damaged, or of another row or installation.</exception>
    public string Reveal(InstanceId instance, string cipher) => For(instance).Unprotect(cipher);

    private IDataProtector For(InstanceId instance) => protection.CreateProtector($"instance:{instance.Value:N}");
}
