using System.Text.Json.Nodes;

namespace Dashboard.Sandbox.Tests.Harness;

/// <summary>What tests do at the sandbox's controls.</summary>
public static class Controls
{
    /// <summary>An offer on a whole machine of one GPU, on which nobody else bids.</summary>
    public static async Task<JsonNode> QuietOfferAsync(this SandboxProcess sandbox)
    {
        var offer = (await sandbox.SearchAsync("""{"gpu_frac":{"eq":1},"num_gpus":{"eq":1},"limit":1,"allocated_storage":16}"""))[0]!;
        Assert.Equal(200, (await sandbox.PutAsync($"/sandbox/control/asks/{offer["id"]}", """{"rival_bid":0}""")).Status);
        return offer;
    }

    /// <summary>Lays a fault on an instance.</summary>
    public static async Task InflictAsync(this SandboxProcess sandbox, int id, string fault) =>
        Assert.Equal(200, (await sandbox.PutAsync($"/sandbox/control/instances/{id}/faults/{fault}", "{}")).Status);

    public static async Task HealAsync(this SandboxProcess sandbox, int id, string fault) =>
        Assert.Equal(200, (await sandbox.DeleteAsync($"/sandbox/control/instances/{id}/faults/{fault}")).Status);
}
