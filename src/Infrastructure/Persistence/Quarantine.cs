using Dashboard.Domain.Instances;
using Dashboard.Infrastructure.Lifecycle;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// A database that may not know all of its machines, or that may not be the only one of its kind, rents nothing and destroys nothing that it
/// does not know, until a person has looked. Decided at the start by comparing the database with <see cref="InstallationFile"/>, and later
/// when a machine shows up that the database ought to know.
/// </summary>
public sealed partial class Quarantine(AppDatabase database, DataDirectory data, RentBan ban, TimeProvider time, ILogger<Quarantine> log) : IDisposable
{
    private const string InboxKey = "quarantine";
    private readonly SemaphoreSlim _gate = new(1);
    private InstallationFile? _file;
    private long? _databaseFile;

    public bool IsOn => ban.Quarantine is not null;

    /// <summary>Before anybody opens the database.</summary>
    public void Sight(string connectionString) => _databaseFile = InstallationFile.NumberOf(new SqliteConnectionStringBuilder(connectionString).DataSource);

    /// <summary>After <see cref="InstallationIdentity.OpenAsync"/>. The database is written first: a crash in between leaves it ahead of the file, which is no cause for alarm.</summary>
    public async Task OpenAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var row = await db.Installations.SingleAsync(ct);
        var file = InstallationFile.Read(data.Root);
        var lastRent = (await db.Instances.AsNoTracking().MaxAsync(i => i.SentAt, ct))?.ToUnixTimeMilliseconds() ?? 0;
        var before = row.QuarantineReason;
        row.QuarantineReason = before ?? file?.Restored ?? Mismatch(row, file, lastRent, _databaseFile);
        row.QuarantinedAt = row.QuarantineReason is null ? null : row.QuarantinedAt ?? time.GetUtcNow();
        row.Epoch = Math.Max(row.Epoch, file?.Epoch ?? 0) + 1;
        if (row.QuarantineReason is not null && before is null)
        {
            await AnnounceAsync(db, row.QuarantineReason, ct);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);

        _file = new InstallationFile(row.Label, row.Epoch, Math.Max(lastRent, file?.LastRentAt ?? 0), _databaseFile, Restored: null);
        _file.Write(data.Root);
        if (row.QuarantineReason is { } reason)
        {
            ban.SetQuarantine(reason);
            Began(reason);
        }
    }

    /// <summary>A machine has shown up that this database ought to know.</summary>
    public async Task BeginAsync(string reason, CancellationToken ct)
    {
        await _gate.WaitAsync(ct);
        try
        {
            if (IsOn)
            {
                return;
            }

            await using var db = await database.ForSystemAsync(ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var row = await db.Installations.SingleAsync(ct);
            (row.QuarantineReason, row.QuarantinedAt) = (reason, time.GetUtcNow());
            await AnnounceAsync(db, reason, ct);
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(CancellationToken.None);
            ban.SetQuarantine(reason);
            Began(reason);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>A person says that this is the only copy in use: a new epoch begins, and every older copy will know itself as one.</summary>
    /// <param name="unknown">What becomes of the machines listed as unknown.</param>
    /// <returns>False: there was no quarantine.</returns>
    public async Task<bool> ConfirmAsync(UnknownMachineChoice unknown, CancellationToken ct)
    {
        await _gate.WaitAsync(ct);
        try
        {
            if (!IsOn)
            {
                return false;
            }

            await using var db = await database.ForSystemAsync(ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var row = await db.Installations.SingleAsync(ct);
            if (row.QuarantinedAt is { } since)
            {
                await LayAsideAsync(db, since, ct);
            }

            (row.QuarantineReason, row.QuarantinedAt, row.Epoch) = (null, null, row.Epoch + 1);
            foreach (var machine in await db.UnknownMachines.Where(m => m.GoneAt == null && m.Choice == UnknownMachineChoice.None).ToListAsync(ct))
            {
                machine.Choice = unknown;
            }

            var now = time.GetUtcNow();
            foreach (var item in await db.Inbox.Where(i => i.Key == InboxKey && i.ResolvedAt == null).ToListAsync(ct))
            {
                item.ResolvedAt = now;
            }

            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(CancellationToken.None);
            _file = (_file ?? new InstallationFile(row.Label, row.Epoch, 0, _databaseFile, null)) with { Epoch = row.Epoch };
            _file.Write(data.Root);
            ban.SetQuarantine(null);
            Confirmed(row.Epoch);
            return true;
        }
        finally
        {
            _gate.Release();
        }

    }

    /// <summary>Before a rent call: a copy of the database from before it will be known as one.</summary>
    /// <exception cref="IOException">It could not be written down, so nothing may be rented.</exception>
    public async Task NoteRentAsync(DateTimeOffset sentAt, CancellationToken ct)
    {
        await _gate.WaitAsync(ct);
        try
        {
            if (_file is not null && sentAt.ToUnixTimeMilliseconds() > _file.LastRentAt)
            {
                var noted = _file with { LastRentAt = sentAt.ToUnixTimeMilliseconds() };
                noted.Write(data.Root);
                _file = noted;
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private static string? Mismatch(Installation row, InstallationFile? file, long lastRent, long? databaseFile) => file switch
    {
        null => row.Epoch == 0 ? null : $"This database was used in another data directory before, or {InstallationFile.Name} beside it was lost. The other copy may still be in use.",
        _ when file.Installation != row.Label => $"This data directory belonged to installation {file.Installation}; the database is that of {row.Label}. Machines that {file.Installation} rented may still run.",
        _ when row.Epoch < file.Epoch || lastRent < file.LastRentAt => "The database is an older copy: this data directory has seen later starts and rents. Machines rented since the copy was made are not in it.",
        _ when file.DatabaseFile is { } known && databaseFile is { } found && known != found => "The database file is a copy. The one it was made of may still be in use.",
        _ => null,
    };

    // The installation that this is a copy of may have sent them. A person can still do so.
    private Task<int> LayAsideAsync(AppDbContext db, DateTimeOffset since, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return db.Deliveries.Where(d => d.SentAt == null && d.DeadAt == null && d.At < since).ExecuteUpdateAsync(
            set => set.SetProperty(d => d.DeadAt, now).SetProperty(d => d.Answer, "Not sent: it is from before the quarantine, and another copy of this installation may have sent it."), ct);
    }

    private async Task AnnounceAsync(AppDbContext db, string reason, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        foreach (var team in await db.Teams.AsNoTracking().Select(t => t.Id).ToListAsync(ct))
        {
            InboxWriter.Open(db, team, "quarantine", InboxKey, "Nothing is rented until an administrator has confirmed this installation", reason, link: null, action: null, now);
        }
    }

    [LoggerMessage(EventId = 2601, Level = LogLevel.Warning, Message = "In quarantine: no rents, no sweeps. {Reason} Confirm on the page /system")]
    private partial void Began(string reason);

    [LoggerMessage(EventId = 2602, Level = LogLevel.Warning, Message = "Quarantine was ended by a person; epoch {Epoch} begins")]
    private partial void Confirmed(long epoch);
}
