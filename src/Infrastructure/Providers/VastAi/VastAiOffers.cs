using System.Text.Json;
using System.Text.Json.Nodes;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>Searches in the provider's words, and its rows in ours.</summary>
internal static class VastAiOffers
{
    /// <summary>More are never returned, whatever is asked for.</summary>
    public const int PageSize = 64;

    /// <summary>The search body. Defaults that the service would fill in are sent, so that a change of theirs is not a change of ours.</summary>
    public static JsonObject Query(OfferQuery query)
    {
        var body = new JsonObject
        {
            ["verified"] = query.VerifiedOnly ? Is(true) : new JsonObject { ["in"] = new JsonArray(true, false) },
            ["external"] = Is(false),
            ["rentable"] = Is(true),
            ["rented"] = Is(false),
            ["direct_port_count"] = AtLeast(1),
            ["disk_space"] = AtLeast(query.DiskGb),
        };
        if (query.GpuNames.Count > 0)
        {
            body["gpu_name"] = new JsonObject { ["in"] = new JsonArray([.. query.GpuNames.Select(name => (JsonNode)Spaced(name))]) };
        }

        if (query.Countries.Count > 0)
        {
            body["geolocation"] = new JsonObject { ["in"] = new JsonArray([.. query.Countries.Select(code => (JsonNode)code.ToUpperInvariant())]) };
        }

        if (query.GpuCount is { } count)
        {
            body["num_gpus"] = Is(count);
        }

        AddAtLeast("gpu_ram", query.MinVramMb);
        AddAtLeast("reliability", query.MinReliability);
        AddAtLeast("inet_down", query.MinDownloadMbps);
        AddAtLeast("cuda_max_good", query.MinCuda);
        AddAtLeast("duration", query.MinContract is { } contract ? (decimal)contract.TotalSeconds : null);
        if (query.MaxRate is not null || query.MinRate is not null)
        {
            var rate = new JsonObject();
            if (query.MinRate is { } least)
            {
                rate["gte"] = least.Usd;
            }

            if (query.MaxRate is { } most)
            {
                rate["lte"] = most.Usd;
            }

            body["dph_total"] = rate;
        }

        body["type"] = query.Rental switch { RentalType.OnDemand => "on-demand", RentalType.Interruptible => "bid" };
        body["order"] = new JsonArray(new JsonArray("dph_total", "asc"));
        body["limit"] = Math.Clamp(query.Limit, 1, PageSize);
        body["allocated_storage"] = query.DiskGb; // prices include the disk of this size
        return body;

        void AddAtLeast(string field, decimal? least)
        {
            if (least is { } value)
            {
                body[field] = AtLeast(value);
            }
        }
    }

    /// <summary>A page with what the provider counted for it.</summary>
    public static OfferPage ReadPage(VastAiReply reply, OfferQuery query, DateTimeOffset now)
    {
        var offers = Read(reply, query, now);
        var rows = reply.Field("offers")!.Value;
        var highest = rows.EnumerateArray().Where(IsRow).Select(row => VastAiNumbers.Rate(reply.Read<WireOffer>(row).DphTotal)).OfType<HourlyRate>().DefaultIfEmpty().Max();
        var count = rows.GetArrayLength();
        return new OfferPage(offers, count, count == 0 ? null : highest, Full: count >= Math.Min(query.Limit, PageSize));
    }

    /// <summary>Rows as offers, cheapest first: sane ones that satisfy every filter, each once. The service is known to ignore numeric filters.</summary>
    public static IReadOnlyList<Offer> Read(VastAiReply reply, OfferQuery query, DateTimeOffset now)
    {
        if (reply.Field("offers") is not { ValueKind: JsonValueKind.Array } rows)
        {
            throw new ProviderUnavailableException("The search answered without offers.");
        }

        // One broken row hides itself, not the market; an answer of broken rows alone is no answer.
        List<WireOffer> read = [.. rows.EnumerateArray().Where(IsRow).Select(row => reply.Read<WireOffer>(row))];
        if (read.Count == 0 && rows.GetArrayLength() > 0)
        {
            throw new ProviderUnavailableException("The search answered with rows that are no offers.");
        }

        return
        [
            .. read
                .Where(row => Fits(row, query))
                .Select(row => Map(row, query, now))
                .OfType<Offer>()
                .Where(offer => Fits(offer, query))
                .DistinctBy(offer => offer.Id)
                .OrderBy(offer => offer.Rate)
                .Take(query.Limit),
        ];
    }

    private static bool IsRow(JsonElement row) => row.ValueKind == JsonValueKind.Object && row.TryGetProperty("id", out var id) && id.ValueKind is JsonValueKind.Number or JsonValueKind.String;

    /// <summary>Null for a row that cannot be rented as described: no price, no GPU, no identity.</summary>
    private static Offer? Map(WireOffer row, OfferQuery query, DateTimeOffset now)
    {
        var disk = VastAiNumbers.Disk(query.DiskGb, row.StorageCost, row.StorageTotalCost);
        var gpu = VastAiNumbers.Rate(query.Rental switch
        {
            RentalType.OnDemand => row.DphBase,
            RentalType.Interruptible => row.MinBid ?? row.DphBase,
        });
        var vram = row.GpuRam ?? (row.NumGpus > 0 ? row.GpuTotalRam / row.NumGpus : null);
        if (row is not { Id.Length: > 0, MachineId.Length: > 0, GpuName.Length: > 0, NumGpus: > 0 and <= 1024, DiskSpace: > 0 }
            || gpu is not { MicrosPerHour: > 0 } || disk is null || vram is not (> 0 and < int.MaxValue))
        {
            return null;
        }

        return new Offer
        {
            Id = row.Id.Trim(),
            MachineId = row.MachineId.Trim(),
            HostId = row.HostId,
            GpuName = Spaced(row.GpuName),
            GpuCount = row.NumGpus.Value,
            VramMb = (int)vram.Value,
            Rental = query.Rental,
            GpuRate = gpu.Value,
            DiskRate = disk.Value,
            StorageUsdPerGbMonth = VastAiNumbers.Usd(row.StorageCost) ?? disk.Value.Usd * 720m / query.DiskGb,
            DownloadPerGb = VastAiNumbers.PerGb(row.InetDownCost),
            UploadPerGb = VastAiNumbers.PerGb(row.InetUpCost),
            DiskGb = row.DiskSpace.Value,
            DiskMbPerSecond = row.DiskBw,
            DownloadMbps = row.InetDown,
            UploadMbps = row.InetUp,
            Reliability = row.Reliability ?? row.Reliability2,
            Verified = IsVerified(row),
            CudaMax = row.CudaMaxGood,
            DirectPorts = row.DirectPortCount ?? 0,
            Location = PlaceOf(row.Geolocation),
            CpuCores = (int?)(row.CpuCoresEffective ?? row.CpuCores),
            RamMb = SliceRam(row),
            ContractEnd = VastAiNumbers.Instant(row.EndDate) ?? (row.Duration is > 0 and < 1_000_000_000 ? now.AddSeconds((double)row.Duration.Value) : null),
        };
    }

    private static bool Fits(WireOffer row, OfferQuery query) =>
        row.Rentable is not false
        && row.Rented is not true
        && row.External is not true
        && !(query.Rental == RentalType.OnDemand && row.IsBid is true)
        && (query.Countries.Count == 0 || (CountryOf(row) is { } code && query.Countries.Contains(code, StringComparer.OrdinalIgnoreCase)))
        && (query.MinContract is not { } least || (row.Duration is { } left && left >= (decimal)least.TotalSeconds));

    // A filter on something that the row does not tell is not satisfied.
    private static bool Fits(Offer offer, OfferQuery query) =>
        offer.DirectPorts >= 1
        && offer.DiskGb >= query.DiskGb
        && (query.GpuNames.Count == 0 || query.GpuNames.Any(name => string.Equals(Spaced(name), offer.GpuName, StringComparison.OrdinalIgnoreCase)))
        && (query.GpuCount is null || offer.GpuCount == query.GpuCount)
        && (query.MinVramMb is null || offer.VramMb >= query.MinVramMb)
        && (query.MinReliability is null || offer.Reliability >= query.MinReliability)
        && (query.MinDownloadMbps is null || offer.DownloadMbps >= query.MinDownloadMbps)
        && (query.MinCuda is null || offer.CudaMax >= query.MinCuda)
        && (query.MaxRate is not { } most || offer.Rate <= most)
        && (query.MinRate is not { } from || offer.Rate >= from)
        && (!query.VerifiedOnly || offer.Verified);

    private static bool IsVerified(WireOffer row) => string.Equals(row.Verification, "verified", StringComparison.OrdinalIgnoreCase);

    // The row shows "Ohio, US", sometimes ", US" or nothing.
    private static string? CountryOf(WireOffer row) => Trimmed(row.CountryCode) ?? Trimmed(row.Geolocation?.Split(',')[^1]) switch
    {
        { Length: 2 } code => code,
        _ => null,
    };

    private static int? SliceRam(WireOffer row)
    {
        var share = row.CpuCoresEffective > 0 && row.CpuCores > 0 ? row.CpuCoresEffective / row.CpuCores : row.GpuFrac;
        return row.CpuRam * share is { } ram && ram is >= 0 and < int.MaxValue ? (int)ram : null;
    }

    private static string Spaced(string name) => name.Replace('_', ' ').Trim();

    /// <summary>A place whose region is not known comes as <c>, US</c>.</summary>
    internal static string? PlaceOf(string? geolocation) => Trimmed(geolocation?.TrimStart(' ', ','));

    private static string? Trimmed(string? text) => text?.Trim() is { Length: > 0 } kept ? kept : null;

    private static JsonObject Is(JsonNode value) => new() { ["eq"] = value };

    private static JsonObject AtLeast(decimal value) => new() { ["gte"] = value };
}
