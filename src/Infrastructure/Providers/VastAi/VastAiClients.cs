using System.Net.Http.Headers;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Egress;
using Microsoft.Extensions.Options;
using Refit;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>What all accounts share: the named HTTP clients and the gates.</summary>
internal sealed class VastAiClients(IHttpClientFactory http, VastAiGates gates, SearchedRows rows, EgressClient egress, IOptions<VastAiOptions> options, TimeProvider time)
{
    /// <summary>Reads and state changes that may be repeated; retried.</summary>
    public const string Repeatable = "VastAi.Repeatable";

    /// <summary>The rent call: never repeated by anyone.</summary>
    public const string Rent = "VastAi.Rent";

    /// <summary>Destroy: connections of its own, so that nothing else holds it up. Its caller asks again until it is proven.</summary>
    public const string Destroy = "VastAi.Destroy";

    private static readonly RefitSettings Settings = new(new SystemTextJsonContentSerializer(VastAiJson.Options));

    public VastAiGates Gates => gates;

    public SearchedRows Rows => rows;

    public EgressClient Egress => egress;

    public VastAiOptions Options => options.Value;

    public TimeProvider Time => time;

    public IVastAiApi Create(string name, Uri baseAddress, Secret key)
    {
        // The factory hands out a client of our own over shared connections, so the key stays with this account.
        var client = http.CreateClient(name);
        client.BaseAddress = baseAddress;
        client.Timeout = Timeout.InfiniteTimeSpan; // each try and the whole call have limits of their own
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Reveal());
        return RestService.ForGenerated<IVastAiApi>(client, Settings);
    }
}
