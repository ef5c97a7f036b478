using System.ComponentModel.DataAnnotations;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What is kept free for the worst day. Section <c>Disk</c>.</summary>
public sealed class DiskOptions
{
    /// <summary>Bytes of a file that only holds the room: freed when the disk is full, so that what is running can be brought to its end. Default 64 MiB.</summary>
    [Range(0, 10L * 1024 * 1024 * 1024)] public long Reserve { get; init; } = 64L * 1024 * 1024;

    /// <summary>With less than this free, in bytes, nothing is rented. Default 64 MiB.</summary>
    [Range(1024 * 1024, 1024L * 1024 * 1024 * 1024)] public long Least { get; init; } = 64L * 1024 * 1024;

    /// <summary>Time between two looks. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")] public TimeSpan Look { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// Watches the disks of the database and of the data directory. When one is full nothing is rented any more, and the reserve is freed: the
/// ends of what runs are still written down. When there is room again the reserve is laid by and renting goes on.
/// </summary>
internal sealed partial class DiskGuard(AppDatabase database, DataDirectory data, RentBan ban, LifecycleSignal signal, IOptions<DiskOptions> options, TimeProvider time, ILogger<DiskGuard> log) : BackgroundService
{
    private const string Name = "reserve";

    private string Reserve => Path.Combine(data.Root, Name);

    /// <summary>One look at the disks.</summary>
    public async Task LookAsync(CancellationToken ct)
    {
        string file;
        await using (var db = await database.ForSystemAsync(ct))
        {
            file = Path.GetFullPath(db.Database.GetDbConnection().DataSource);
        }

        var o = options.Value;
        var full = Full(Path.GetFullPath(data.Root), o.Least) ?? Full(Path.GetDirectoryName(file)!, o.Least);
        if (full is not null)
        {
            if (ban.DiskFull is null)
            {
                NoRoom(full);
            }

            ban.SetDiskFull(full);
            Give();
        }
        else if (Free(data.Root) >= o.Least + (HasReserve(o) ? 0 : o.Reserve) && Lay(o))
        {
            if (ban.DiskFull is not null)
            {
                Room();
            }

            ban.SetDiskFull(null);
            signal.Wake();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Look, time);
        try
        {
            do
            {
                try
                {
                    await LookAsync(stoppingToken);
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException)
                {
                    NotRead(error.Message); // a disk that cannot be asked is not a full one; the next look may tell
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private static string? Full(string folder, long least) => Free(folder) is var free && free < least ? $"{free / 1024 / 1024} MiB are left at {folder}." : null;

    private static long Free(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    private bool HasReserve(DiskOptions o) => new FileInfo(Reserve) is { Exists: true } file && file.Length >= o.Reserve;

    private void Give()
    {
        if (File.Exists(Reserve))
        {
            File.Delete(Reserve);
            Freed(options.Value.Reserve / 1024 / 1024);
        }
    }

    /// <summary>Really written: a file of holes would hold no room.</summary>
    private bool Lay(DiskOptions o)
    {
        if (HasReserve(o))
        {
            return true;
        }

        try
        {
            using var file = new FileStream(Reserve, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, PreallocationSize = o.Reserve });
            file.SetLength(o.Reserve);
            return true;
        }
        catch (IOException)
        {
            File.Delete(Reserve);
            return false;
        }
    }

    [LoggerMessage(EventId = 2701, Level = LogLevel.Error, Message = "The disk is full, nothing is rented: {Where}")]
    private partial void NoRoom(string where);

    [LoggerMessage(EventId = 2702, Level = LogLevel.Warning, Message = "Freed the reserve of {Mebibytes} MiB, to bring what runs to its end")]
    private partial void Freed(long mebibytes);

    [LoggerMessage(EventId = 2703, Level = LogLevel.Information, Message = "There is room on the disk again; renting goes on")]
    private partial void Room();

    [LoggerMessage(EventId = 2704, Level = LogLevel.Warning, Message = "The disk could not be asked for its room: {Reason}")]
    private partial void NotRead(string reason);
}
