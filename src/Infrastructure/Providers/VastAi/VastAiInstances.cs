using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>Instance rows in our words.</summary>
internal static partial class VastAiInstances
{
    // Ages come in hundredths of a minute.
    private static readonly TimeSpan AgeRounding = TimeSpan.FromSeconds(0.3);

    /// <param name="row">As the provider sent it. However odd its fields, a row with an id is a machine that exists.</param>
    /// <param name="asked">When the question left.</param>
    /// <param name="answered">When the answer came: run times are told as minutes before an instant between the two.</param>
    public static ObservedInstance Read(WireInstance row, DateTimeOffset asked, DateTimeOffset answered)
    {
        if (row.Id?.Trim() is not { Length: > 0 } id)
        {
            throw new ProviderUnavailableException("A machine came without an id.");
        }

        var message = row.StatusMsg?.Trim() is { Length: > 0 } words ? words : null;
        var status = StatusOf(row, message);
        var running = status == ObservedStatus.Running;
        var disk = VastAiNumbers.Disk(row.DiskSpace, row.StorageCost, row.StorageTotalCost) ?? HourlyRate.Zero;
        return new ObservedInstance
        {
            ContractId = id,
            Label = row.Label?.Trim() is { Length: > 0 } label ? label : null,
            Status = status,
            Message = message,
            FatalMessage = status is ObservedStatus.Provisioning or ObservedStatus.Failed && IsFatal(message),
            Rental = row.IsBid is true ? RentalType.Interruptible : RentalType.OnDemand,
            GpuRate = VastAiNumbers.Rate(row.DphBase) ?? VastAiNumbers.Rate(row.DphTotal - disk.Usd) ?? HourlyRate.Zero,
            DiskRate = disk,
            DownloadPerGb = VastAiNumbers.PerGb(row.InetDownCost),
            UploadPerGb = VastAiNumbers.PerGb(row.InetUpCost),
            DiskGb = row.DiskSpace is > 0 ? row.DiskSpace.Value : 0,
            CreatedAt = VastAiNumbers.Instant(row.StartDate),
            RunningSince = running && row.UptimeMins is >= 0 and < 10_000_000 ? Began(row.UptimeMins.Value, asked, answered) : null,
            ContractEnd = VastAiNumbers.Instant(row.EndDate),
            GpuUse = running && row.GpuUtil is >= 0 and <= 100 ? row.GpuUtil : null,
            MachineId = row.MachineId,
            GpuName = row.GpuName,
            GpuCount = row.NumGpus ?? 0,
            Location = VastAiOffers.PlaceOf(row.Geolocation),
            Routes = running ? [.. RoutesOf(row)] : [],
        };
    }

    private static StartWindow Began(decimal minutes, DateTimeOffset asked, DateTimeOffset answered)
    {
        var age = TimeSpan.FromSeconds((double)(minutes * 60));
        return new StartWindow(asked - age - AgeRounding, answered - age + AgeRounding);
    }

    // Four fields, and only their combination says what the machine does. The provider's word for the container may be a minute old;
    // a stop shows in the other three first.
    private static ObservedStatus StatusOf(WireInstance row, string? message)
    {
        var (intended, current, next) = (Word(row.IntendedStatus), Word(row.CurState), Word(row.NextState));
        if (intended == "stopped" || (current == "stopped" && next == "stopped"))
        {
            return ObservedStatus.Stopped;
        }

        return Word(row.ActualStatus) switch
        {
            "running" or "frozen" => ObservedStatus.Running, // frozen keeps its memory, and bills
            _ when current == "stopped" && intended == "running" => ObservedStatus.WaitingForGpu,
            "exited" or "stopped" => ObservedStatus.Failed,
            "unknown" or "offline" => ObservedStatus.Unreachable,
            "created" when IsFatal(message) => ObservedStatus.Failed,
            _ => ObservedStatus.Provisioning,
        };
    }

    private static IEnumerable<SshRoute> RoutesOf(WireInstance row)
    {
        if (row.PublicIpaddr?.Trim() is { Length: > 0 } address && DirectPort(row.Ports) is { } direct)
        {
            yield return new SshRoute("direct", address, direct);
        }

        if (row.SshHost?.Trim() is { Length: > 0 } proxy && row.SshPort is > 0 and < 65535 and { } port)
        {
            // Behind the proxy Jupyter takes the port and SSH the one after it.
            yield return new SshRoute("proxy", proxy, row.ImageRuntype?.Contains("jupyter", StringComparison.OrdinalIgnoreCase) is true ? port + 1 : port);
        }
    }

    private static int? DirectPort(JsonElement ports)
    {
        if (ports.ValueKind != JsonValueKind.Object || !ports.TryGetProperty("22/tcp", out var bindings) || bindings.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        foreach (var binding in bindings.EnumerateArray())
        {
            if (binding.ValueKind == JsonValueKind.Object && binding.TryGetProperty("HostPort", out var text)
                && int.TryParse(text.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535)
            {
                return port;
            }
        }

        return null;
    }

    private static string? Word(string? text) => text?.Trim().ToLowerInvariant();

    private static bool IsFatal(string? message) => message is not null && Fatal().IsMatch(message);

    [GeneratedRegex("error|failed|denied|manifest unknown|pull access denied|OCI runtime", RegexOptions.IgnoreCase)]
    private static partial Regex Fatal();
}
