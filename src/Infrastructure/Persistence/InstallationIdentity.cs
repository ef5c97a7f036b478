using System.Security.Cryptography;
using Dashboard.Domain.Instances;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>Who this installation is towards providers: the id in its labels and the secret that signs them. Made once, at the first start.</summary>
public sealed class InstallationIdentity(AppDatabase database, IDataProtectionProvider protection, TimeProvider time)
{
    private const int OnlyRow = 1;
    private string? _label;
    private byte[]? _secret;

    /// <summary>Eight characters.</summary>
    /// <exception cref="InvalidOperationException">Asked before <see cref="OpenAsync"/>.</exception>
    public string Label => _label ?? throw NotOpen();

    /// <summary>32 bytes.</summary>
    /// <exception cref="InvalidOperationException">Asked before <see cref="OpenAsync"/>.</exception>
    public byte[] Secret => _secret ?? throw NotOpen();

    private IDataProtector Protector => protection.CreateProtector("installation/label-secret");

    /// <summary>Reads or makes the row. After <see cref="DatabaseStart"/>.</summary>
    /// <exception cref="CryptographicException">The key ring that encrypted the secret is not the one at hand: machines rented before could not be recognised any more.</exception>
    public async Task OpenAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var row = await db.Installations.AsNoTracking().SingleOrDefaultAsync(i => i.Id == OnlyRow, ct);
        if (row is null)
        {
            row = new Installation
            {
                Label = InstanceLabel.NewInstall(RandomNumberGenerator.GetBytes(5)),
                ProtectedSecret = Convert.ToBase64String(Protector.Protect(RandomNumberGenerator.GetBytes(32))),
                CreatedAt = time.GetUtcNow(),
            };
            db.Installations.Add(row);
            await db.SaveChangesAsync(ct);
        }

        (_label, _secret) = (row.Label, Protector.Unprotect(Convert.FromBase64String(row.ProtectedSecret)));
    }

    private static InvalidOperationException NotOpen() => new("The installation's identity is read when the server starts.");
}
